using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sekisho.Response.Actions.Webhook;

/// <summary>
/// Value of the header Sekisho-Signature: t=UNIX-SECONDS,v1=HEX, where HEX is HMAC-SHA256 over "UNIX-SECONDS.BODY" with the UTF-8 bytes of the
/// secret as it was shown. The receiver computes the same and refuses old times, so that a recorded delivery cannot be played back. Pure.
/// </summary>
internal static class WebhookSignature
{
    public static string Of(string secret, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        var time = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        mac.AppendData(Encoding.UTF8.GetBytes(time + "."));
        mac.AppendData(body);
        return $"t={time},v1={Convert.ToHexStringLower(mac.GetHashAndReset())}";
    }
}
