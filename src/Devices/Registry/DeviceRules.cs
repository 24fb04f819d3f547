using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Registry;

/// <summary>What an administrator asks for with a new device.</summary>
/// <param name="UniqueIdType">One of <see cref="UniqueIdTypes"/>.</param>
/// <param name="UniqueId">The unique ID in any usual notation.</param>
/// <param name="Name">At most 100 characters; empty when absent.</param>
/// <param name="Kind">Lower-case letters, digits, hyphens; "user" when absent on a user.</param>
/// <param name="Cadence">One of <see cref="Cadences"/>; irregular when absent.</param>
/// <param name="IntervalSeconds">Only for the cadence "interval".</param>
/// <param name="ParentId">The gateway unit that it sits behind.</param>
/// <param name="UserId">The user that it belongs to.</param>
/// <param name="ProductLineId">The product line whose credential it shares; its own when absent.</param>
/// <param name="Supersedes">The retired device whose unique ID it takes over.</param>
internal sealed record Registration(
    string? UniqueIdType, string? UniqueId, string? Name, string? Kind, string? Cadence, double? IntervalSeconds, string? ParentId, string? UserId, string? ProductLineId, string? Supersedes);

/// <summary>What an administrator may change of a device; all of it is replaced.</summary>
internal sealed record DeviceChange(string? Name, string? Kind, string? Cadence, double? IntervalSeconds, string? ParentId, string? UserId);

/// <summary>What an administrator says of a device, checked.</summary>
internal sealed record DeviceTraits(string Name, string Kind, string Cadence, TimeSpan? Interval, string? ParentId, string? UserId);

/// <summary>A device to register, checked as far as one can without the others.</summary>
internal sealed record NewDevice(string DeviceId, string UniqueIdType, string UniqueId, DeviceTraits Traits, string? LineId, string? Supersedes);

/// <summary>Rules for devices. Pure.</summary>
internal static class DeviceRules
{
    public const double ShortestInterval = 0.1;
    public const double LongestInterval = 30 * 86400;

    public static NewDevice? Judge(Registration asked, string deviceId, Func<string, string> place, List<BrokenRule> broken)
    {
        var before = broken.Count;
        var type = asked.UniqueIdType ?? "";
        string? uniqueId = null;
        if (!UniqueIdTypes.All.Contains(type))
        {
            broken.Add(new BrokenRule(place("uniqueIdType"), "unique-id-type"));
        }
        else if ((uniqueId = UniqueIds.Canonical(type, asked.UniqueId ?? "")) is null)
        {
            broken.Add(new BrokenRule(place("uniqueId"), "unique-id-" + type));
        }

        var kind = string.IsNullOrEmpty(asked.Kind) && type == UniqueIdTypes.User ? UniqueIdTypes.User : asked.Kind;
        var traits = Judge(new DeviceChange(asked.Name, kind, asked.Cadence, asked.IntervalSeconds, asked.ParentId, asked.UserId), place, broken);
        return broken.Count == before ? new NewDevice(deviceId, type, uniqueId!, traits, Empty(asked.ProductLineId), Empty(asked.Supersedes)) : null;
    }

    public static DeviceTraits Judge(DeviceChange asked, Func<string, string> place, List<BrokenRule> broken)
    {
        var name = asked.Name?.Trim() ?? "";
        if (!Rules.Printable(name, 0, 100))
        {
            broken.Add(new BrokenRule(place("name"), "device-name"));
        }

        var kind = asked.Kind ?? "";
        if (!Rules.Slug(kind, 1, 40))
        {
            broken.Add(new BrokenRule(place("kind"), "kind"));
        }

        var cadence = string.IsNullOrEmpty(asked.Cadence) ? Cadences.Irregular : asked.Cadence;
        if (!Cadences.All.Contains(cadence))
        {
            broken.Add(new BrokenRule(place("cadence"), "cadence"));
        }
        else if (cadence == Cadences.Interval ? !(asked.IntervalSeconds >= ShortestInterval && asked.IntervalSeconds <= LongestInterval) : asked.IntervalSeconds is not null)
        {
            broken.Add(new BrokenRule(place("intervalSeconds"), "interval"));
        }

        var interval = cadence == Cadences.Interval && asked.IntervalSeconds is >= ShortestInterval and <= LongestInterval
            ? TimeSpan.FromMilliseconds(Math.Round(asked.IntervalSeconds.Value * 1000))
            : (TimeSpan?)null;
        return new DeviceTraits(name, kind, cadence, interval, Empty(asked.ParentId), Empty(asked.UserId));
    }

    private static string? Empty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
