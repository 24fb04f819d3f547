using System.Globalization;
using System.Text;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;

namespace Sekisho.Devices.Transfer;

/// <summary>Writes the devices of a field as CSV, without secrets. Any thread.</summary>
internal sealed class DeviceExport(DeviceIndex index, DeviceViews views, ProductLines lines)
{
    /// <summary>UTF-8 with byte order mark, which spreadsheets need to read Japanese.</summary>
    public byte[] Write(string fieldId, bool inFull)
    {
        var csv = new StringBuilder();
        Csv.Append(csv, [.. ImportTable.Columns, .. ImportTable.ExportOnly]);
        string? UniqueId(string? deviceId) => deviceId is not null && index.Find(deviceId) is { } entry ? views.UniqueId(entry, inFull) : null;
        foreach (var e in index.Of(fieldId).OrderBy(e => e.CreatedAt).ThenBy(e => e.Id, StringComparer.Ordinal))
        {
            Csv.Append(
                csv,
                e.Profile.UniqueIdType,
                views.UniqueId(e, inFull),
                e.Profile.Name,
                e.Profile.Kind,
                e.Profile.Cadence,
                e.Profile.Interval?.TotalSeconds.ToString(CultureInfo.InvariantCulture),
                UniqueId(e.Profile.ParentId),
                e.Profile.UserId == e.Id ? null : UniqueId(e.Profile.UserId),
                e.LineId is { } line ? lines.Find(line)?.Name : null,
                e.Id,
                e.State,
                e.Profile.Assurance);
        }

        return [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(csv.ToString())];
    }
}
