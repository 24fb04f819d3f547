using Sekisho.Detection.Conditions.Devices;
using Sekisho.Detection.Conditions.Schedules;

namespace Sekisho.Detection.Conditions.Network;

/// <summary>Parameters of <see cref="NetworkCondition"/>.</summary>
/// <param name="Networks">The field's own networks; empty when nobody named them.</param>
/// <param name="Sights">So many messages and authentications, and</param>
/// <param name="LearnMs">so many milliseconds since the first of them, until its networks are known. Not waited for where the field's own are named.</param>
/// <param name="WithinMs">Two distant networks within this time are too far apart; failed attempts count for as long.</param>
/// <param name="DistantPrefix">IPv4 networks are near when they share so many leading bits.</param>
/// <param name="Failures">So many failed attempts before a success are part of a suspected theft.</param>
/// <param name="Night">Hours at which nobody is expected, whatever was learnt.</param>
internal sealed record NetworkParameters(NetworkList Networks, int Sights, long LearnMs, long WithinMs, int DistantPrefix, int Failures, Schedule Night)
{
    /// <summary>The specifications.</summary>
    public static readonly IReadOnlyList<ParameterSpec> Specs =
    [
        new("networks", ParameterType.Networks, 0, 64, ParameterValue.Of([])),
        new("sights", ParameterType.Count, 1, 1000, 5),
        new("learnFor", ParameterType.Duration, 0, 60 * 86_400, 2 * 86_400),
        new("distantWithin", ParameterType.Duration, 60, 86_400, 3600),
        new("distantPrefix", ParameterType.Count, 4, 32, 16),
        new("failures", ParameterType.Count, 1, 100, 3),
        new("from", ParameterType.TimeOfDay, 0, LastMinute, 22 * 60),
        new("to", ParameterType.TimeOfDay, 0, LastMinute, 6 * 60),
    ];

    private const double LastMinute = (24 * 60) - 1;

    public static NetworkParameters Of(ConditionInput input) => new(
        new NetworkList(input.List("networks")),
        input.Whole("sights"),
        input.Milliseconds("learnFor"),
        input.Milliseconds("distantWithin"),
        input.Whole("distantPrefix"),
        input.Whole("failures"),
        new Schedule([new WeeklyWindow(Enum.GetValues<DayOfWeek>(), input.Time("from"), input.Time("to"))], input.Zone, input.Calendar));

    /// <summary>
    /// A hash that near networks of one family share (IPv4: <see cref="DistantPrefix"/> leading bits, IPv6: 32); 0 where nearness means nothing:
    /// private addresses are those of the gateway's own site or of its carrier, and what is no address has no place.
    /// </summary>
    public long RegionOf(in SourceKey source) =>
        source.Bits == 0 || NetworkList.Private.Contains(source) ? 0
        : (long)StableHash.Mix((ulong)(source.IsIPv4 ? source.Bits & NetworkRange.Mask(96 + DistantPrefix) : source.Bits >> 96));
}
