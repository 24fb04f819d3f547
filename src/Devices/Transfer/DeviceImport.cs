using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;

namespace Sekisho.Devices.Transfer;

/// <summary>Registers the devices of a file: all, or none with a fault for each broken row. Any thread.</summary>
internal sealed class DeviceImport(Registrar registrar, DeviceIndex index, ProductLines lines, CredentialHashes hashes)
{
    /// <summary>Checks the file, and registers its devices unless it is a dry run.</summary>
    /// <returns>What was registered, by row; or what is broken. A dry run without faults returns neither.</returns>
    public async Task<(IReadOnlyList<(int Row, Registered Device)> Done, int Rows, IReadOnlyList<BrokenRule> Broken)> RunAsync(
        string fieldId, ReadOnlyMemory<byte> file, bool dryRun, Caller caller, CancellationToken cancellation)
    {
        var (rows, found) = ImportTable.Read(file.Span);
        var broken = found.ToList();
        var devices = Resolve(fieldId, rows, broken);

        // What is broken by itself is shown together with what the registry says of the sound rows.
        if (broken.Count > 0 || dryRun)
        {
            var more = await registrar.JudgeAsync(fieldId, [.. devices.Select(d => d.Device)], cancellation);
            broken.AddRange(more.Select(r => new BrokenRule(ImportTable.Row(devices[r.Index].Row), r.Key)));
            return ([], devices.Count, [.. broken.Distinct()]);
        }

        var (done, refused) = await registrar.RegisterAsync(fieldId, [.. devices.Select(d => d.Device)], caller, cancellation);
        broken.AddRange(refused.Select(r => new BrokenRule(ImportTable.Row(devices[r.Index].Row), r.Key)));
        return ([.. done.Select((d, i) => (devices[i].Row, d))], devices.Count, broken);
    }

    // Parents and users are named by their unique IDs, in this file or registered already.
    private List<(int Row, NewDevice Device)> Resolve(string fieldId, IReadOnlyList<ImportRow> rows, List<BrokenRule> broken)
    {
        var here = new Dictionary<HashKey, string>();
        foreach (var row in rows)
        {
            if (row.Device is { } device)
            {
                here.TryAdd(hashes.UniqueId(device.UniqueId), device.DeviceId);
            }
        }

        string? Find(ImportRow row, string? uniqueId, string rule)
        {
            if (uniqueId is null)
            {
                return null;
            }

            var (text, structured) = UniqueIds.Meanings(uniqueId);
            foreach (var hash in (HashKey[])[hashes.UniqueId(text), hashes.UniqueId(structured)])
            {
                if (here.TryGetValue(hash, out var id) || (id = index.ByIdentity(hash) is { } known && known.Profile.FieldId == fieldId ? known.Id : null) is not null)
                {
                    return id;
                }
            }

            broken.Add(new BrokenRule(ImportTable.Row(row.Number), rule));
            return null;
        }

        var devices = new List<(int, NewDevice)>();
        foreach (var row in rows)
        {
            var parent = Find(row, row.Parent, "parent");
            var user = Find(row, row.User, "user");
            var line = row.Line is null ? null : lines.Find(fieldId, row.Line);
            if (row.Line is not null && line is null)
            {
                broken.Add(new BrokenRule(ImportTable.Row(row.Number), "product-line"));
            }

            if (row.Device is { } device)
            {
                devices.Add((row.Number, device with { Traits = device.Traits with { ParentId = parent, UserId = user }, LineId = line?.LineId }));
            }
        }

        return devices;
    }
}
