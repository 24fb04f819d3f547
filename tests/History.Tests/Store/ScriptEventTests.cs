using System.Text;
using Sekisho.Domain.Events;
using Sekisho.History.Store;

namespace Sekisho.History.Tests.Store;

public class ScriptEventTests
{
    [Fact]
    public void Scripts_and_reports_come_back_from_a_block_of_events_so_that_a_replay_has_them()
    {
        var at = new DateTimeOffset(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);
        GatewayEvent[] events =
        [
            new ScriptChangedEvent
            {
                Position = 7, ArrivedAt = at, CorrelationId = "c", FieldId = "car", ScriptId = "doors", Version = 2, InForce = true, Effect = "act", Source = "return {}"u8.ToArray(), By = "anna", Reason = "試す",
            },
            new ScriptReportEvent { Position = 9, ArrivedAt = at.AddSeconds(1), CorrelationId = "", FieldId = "car", ScriptId = "doors", Version = 2, Result = "[{},{}]"u8.ToArray(), Chance = true },
        ];
        var read = EventFormat.Decode(EventFormat.Encode(events), "car");
        var change = Assert.IsType<ScriptChangedEvent>(read[0]);
        Assert.Equal("return {}", Encoding.UTF8.GetString(change.Source.Span));
        Assert.Equal(((ScriptChangedEvent)events[0]) with { Source = default }, change with { Source = default });
        var report = Assert.IsType<ScriptReportEvent>(read[1]);
        Assert.Equal("[{},{}]", Encoding.UTF8.GetString(report.Result.Span));
        Assert.Equal(((ScriptReportEvent)events[1]) with { Result = default }, report with { Result = default });
    }
}
