using System.Security.Cryptography;
using System.Text;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;

namespace Sekisho.Devices.Binding;

/// <summary>Whom three elements name.</summary>
/// <param name="Device">The device when all three fit.</param>
/// <param name="Known">The device of that unique ID, whether or not the others fit.</param>
/// <param name="Identity">Keyed hash of the unique ID.</param>
/// <param name="ByNewSecret">The secret is one that was handed out to replace the present one.</param>
internal readonly record struct Identified(DeviceEntry? Device, DeviceEntry? Known, HashKey Identity, bool ByNewSecret = false);

/// <summary>
/// Compares three elements with the registered devices. It does the same work whether or not there is such a device, and its comparisons
/// take the same time wherever they differ. Any thread; memory only, a few microseconds.
/// </summary>
internal sealed class CredentialCheck(DeviceIndex index, ProductLines lines, CredentialHashes hashes)
{
    private readonly HashKey _nobody = hashes.Secret(NewCredential.Secret());
    private readonly string _nobodysId = NewCredential.Id('c');

    public Identified Identify(ThreeElements elements)
    {
        // A device does not say of which type its unique ID is, so the text is tried as it is and as the number or address it reads as.
        var (text, structured) = UniqueIds.Meanings(elements.UniqueId);
        var asText = hashes.UniqueId(text);
        var asStructured = hashes.UniqueId(structured);
        var offered = hashes.Secret(elements.AuthSecret);
        var first = index.ByIdentity(asText);
        var second = index.ByIdentity(asStructured);
        var firstFits = Fits(first, elements.CommonAuthId, offered);
        var secondFits = Fits(second, elements.CommonAuthId, offered);
        var device = firstFits ? first : secondFits ? second : null;
        return new Identified(device, first ?? second, asStructured, device?.NewSecretHash is { } fresh && fresh.FixedTimeEquals(offered));
    }

    private bool Fits(DeviceEntry? device, string commonAuthId, HashKey offered)
    {
        var line = device?.LineId is { } id ? lines.Find(id) : null;
        var expectedId = device?.CommonAuthId ?? line?.CommonAuthId ?? _nobodysId;
        var expected = device?.SecretHash ?? line?.SecretHash ?? _nobody;
        var idFits = CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expectedId), Encoding.UTF8.GetBytes(commonAuthId));
        var fresh = device?.NewSecretHash ?? _nobody;
        return (expected.FixedTimeEquals(offered) | fresh.FixedTimeEquals(offered)) & idFits & device is not null;
    }
}
