using Sekisho.Domain.History;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Sending;

/// <summary>What sending to a receiver needs.</summary>
internal sealed record SocPorts(IHistoryFeed Feed, SocStore Store, SocEvents Events, SocSettings Settings, TimeProvider Clock)
{
    /// <summary>Which records the receiver may get: the field's own, or the gateway's and those of fields that share theirs.</summary>
    public static HistoryReach ReachOf(SocReceiver receiver, IReadOnlyDictionary<string, SocField> fields)
    {
        var kinds = receiver.Include.Kinds.Except(receiver.Exclude.Kinds).ToList();
        if (receiver.FieldId is { } own)
        {
            return new HistoryReach(Gateway: false, [own], kinds);
        }

        var shared = fields.Values.Where(f => f.Shared).Select(f => f.FieldId).Except(receiver.Exclude.Fields);
        return new HistoryReach(receiver.Include.Fields.Count == 0, [.. receiver.Include.Fields.Count == 0 ? shared : shared.Intersect(receiver.Include.Fields)], kinds);
    }
}
