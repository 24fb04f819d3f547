using Sekisho.Devices.Credentials;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Registry;

/// <summary>Finds devices by their unique IDs. Any thread; memory only.</summary>
internal sealed class UniqueIdLookup(DeviceIndex index, CredentialHashes hashes) : IUniqueIdLookup
{
    public string? Find(string fieldId, string uniqueId)
    {
        var (text, structured) = UniqueIds.Meanings(uniqueId);
        var found = index.ByIdentity(hashes.UniqueId(structured)) ?? index.ByIdentity(hashes.UniqueId(text));
        return found?.Profile.FieldId == fieldId ? found.Id : null;
    }
}
