using System.Globalization;
using Sekisho.Api;
using Sekisho.Devices.Credentials;

namespace Sekisho.Devices.Registry;

/// <summary>What devices are asked for.</summary>
/// <param name="Text">A unique ID in full, or part of name, kind or device identifier, any width and case; all when absent.</param>
/// <param name="Kind">Exact kind; all when absent.</param>
/// <param name="State">Exact state; all when absent.</param>
/// <param name="After">Where the page before ended; anything unreadable starts from the beginning.</param>
/// <param name="Limit">Rows at most.</param>
internal sealed record DeviceQuery(string? Text, string? Kind, string? State, string? After, int? Limit);

/// <summary>Searches the devices of a field in memory: names and unique IDs are encrypted in the store. Any thread.</summary>
internal sealed class DeviceSearch(DeviceIndex index, CredentialHashes hashes)
{
    private const int LongestText = 200;

    /// <summary>One page in order of registration.</summary>
    public Page<DeviceEntry> Find(string fieldId, DeviceQuery asked)
    {
        var (kind, state, limit) = (asked.Kind, asked.State, Paging.Limit(asked.Limit));
        var text = string.IsNullOrWhiteSpace(asked.Text) ? null : asked.Text.Trim();
        var folded = text is null || !Rules.Printable(text, 1, LongestText) ? null : DeviceEntry.Fold(text);
        if (text is not null && folded is null)
        {
            return new Page<DeviceEntry>([], null);
        }

        // A unique ID is found in full only: nothing of it stands in memory in clear.
        HashKey[] identities = text is null ? [] : Identities(text);
        var start = Start(asked.After);
        var found = index.Of(fieldId)
            .Where(e => (kind is null || e.Profile.Kind == kind) && (state is null || e.State == state)
                && (folded is null || e.SearchText.Contains(folded, StringComparison.Ordinal) || e.Id.Contains(folded, StringComparison.Ordinal) || identities.Contains(e.UniqueIdHash))
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

    private HashKey[] Identities(string uniqueId)
    {
        var (text, structured) = UniqueIds.Meanings(uniqueId);
        return [hashes.UniqueId(text), hashes.UniqueId(structured)];
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
