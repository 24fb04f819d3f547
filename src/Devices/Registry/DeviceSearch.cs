using System.Globalization;
using Sekisho.Api;

namespace Sekisho.Devices.Registry;

/// <summary>Searches the devices of a field in memory: names are encrypted in the store. Any thread.</summary>
internal sealed class DeviceSearch(DeviceIndex index)
{
    /// <summary>One page in order of registration.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="text">Part of name, kind or device identifier, any width and case; null for all.</param>
    /// <param name="kind">Exact kind; null for all.</param>
    /// <param name="state">Exact state; null for all.</param>
    /// <param name="after">Where the page before ended; anything unreadable starts from the beginning.</param>
    /// <param name="limit">Rows at most.</param>
    public Page<DeviceEntry> Find(string fieldId, string? text, string? kind, string? state, string? after, int limit)
    {
        var folded = string.IsNullOrWhiteSpace(text) ? null : DeviceEntry.Fold(text.Trim());
        var start = Start(after);
        var found = index.Of(fieldId)
            .Where(e => (kind is null || e.Profile.Kind == kind) && (state is null || e.State == state)
                && (folded is null || e.SearchText.Contains(folded, StringComparison.Ordinal) || e.Id == folded)
                && Compare(e, start) > 0)
            .OrderBy(e => e.CreatedAt).ThenBy(e => e.Id, StringComparer.Ordinal)
            .Take(limit + 1)
            .ToList();
        if (found.Count <= limit)
        {
            return new Page<DeviceEntry>(found, null);
        }

        found.RemoveAt(limit);
        return new Page<DeviceEntry>(found, found[^1].CreatedAt.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) + "-" + found[^1].Id);
    }

    private static int Compare(DeviceEntry entry, (long At, string Id) place)
    {
        var byTime = entry.CreatedAt.ToUnixTimeMilliseconds().CompareTo(place.At);
        return byTime != 0 ? byTime : string.CompareOrdinal(entry.Id, place.Id);
    }

    private static (long At, string Id) Start(string? after)
    {
        var cut = after?.IndexOf('-', StringComparison.Ordinal) ?? -1;
        return cut > 0 && long.TryParse(after.AsSpan(0, cut), NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? (at, after![(cut + 1)..]) : (long.MinValue, "");
    }
}
