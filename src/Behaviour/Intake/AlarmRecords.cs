using System.Data.Common;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.History;

namespace Sekisho.Behaviour.Intake;

/// <summary>Alarms of sensors as lines of the history.</summary>
internal static class AlarmRecords
{
    /// <summary>Records what was raised and what ended.</summary>
    public static void Append(IHistory history, Sensor before, Sensor after, DateTimeOffset at, string correlationId, DbTransaction transaction)
    {
        foreach (var (kind, raised) in Alarms.Changes(before.Status, after.Status!))
        {
            history.Append(
                new HistoryRecord
                {
                    At = at,
                    Kind = HistoryKinds.Detection,
                    What = $"sensor-{kind}{(raised ? "" : "-ended")}",
                    FieldId = after.FieldId,
                    Actor = "gateway",
                    CorrelationId = correlationId,
                    Subject = after.Id,
                },
                transaction);
        }
    }
}
