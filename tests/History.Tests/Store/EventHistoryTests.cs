using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.History.Store;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.History.Tests.Store;

public class EventHistoryTests
{
    [Fact]
    public void The_bytes_of_events_are_those_of_the_first_version()
    {
        GatewayEvent[] events =
        [
            new TickEvent { Position = 300, ArrivedAt = Samples.Start, CorrelationId = "" },
            new TrafficFactEvent
            {
                Position = 302, ArrivedAt = Samples.Start.AddSeconds(1), CorrelationId = "c", FieldId = "car", DeviceId = "d1", From = Samples.Start.AddSeconds(-59), To = Samples.Start.AddSeconds(1),
                AcceptedBytes = 5, RepeatedBytes = 1, FailedBytes = 2, Requests = 3, Retries = 4, Handshakes = 0, WireUp = 0,
            },
        ];
        const string Expected = "01" + "02" + "ac02" + "8080b8e5a867" + "00" + "00" + "00" + "01" + "02" + "d00f" + "0163" + "026431" + "bfa907" + "00" + "05" + "01" + "02" + "03" + "04" + "00" + "01" + "00";
        Assert.Equal(Expected, Convert.ToHexStringLower(EventFormat.Encode(events)));
        Assert.Equal(events, EventFormat.Decode(Convert.FromHexString(Expected), "car"));
    }

    [Fact]
    public void Every_kind_of_event_reads_back_the_same()
    {
        var events = Kinds(100);
        Assert.Equal(events.Select(Content), EventFormat.Decode(EventFormat.Encode(events), "car").Select(Content));
    }

    [Fact]
    public void Changed_and_cut_bytes_of_events_give_a_storage_fault_or_other_events_but_nothing_else()
    {
        var random = Fuzz.Source(3);
        var good = EventFormat.Encode(Kinds(7));
        for (var round = Fuzz.Rounds(3000); round > 0; round--)
        {
            var bytes = good[..random.Next(1, good.Length + 1)];
            for (var i = random.Next(0, 6); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                EventFormat.Decode(bytes, "car");
            }
            catch (StorageException)
            {
                // As promised.
            }
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_detection_was_shown_of_a_field_comes_back_in_the_order_of_the_journal(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var random = new Random(5);
        var shown = new List<GatewayEvent>();
        var position = 0L;
        for (var commit = 0; commit < 60; commit++)
        {
            var stretch = Enumerable.Range(0, random.Next(1, 300)).Select(_ => Any(random, ++position)).ToList();
            var messages = stretch.OfType<MessageEvent>().ToList();
            var repeats = messages.Where(m => m.Position % 17 == 0).ToList();
            var chunks = messages.Except(repeats).GroupBy(m => (m.FieldId, Backlog: m.Position % 5 == 0)).Select(g => new MessageChunk(g.Key.FieldId, g.Key.Backlog, [.. g])).OrderBy(c => c.Id).ToList();
            host.Commit(Samples.Batch(chunks, repeats, [.. stretch.Where(e => e is not (MessageEvent or TickEvent))]) with { Ticks = [.. stretch.OfType<TickEvent>()] });
            shown.AddRange(stretch);
        }

        var history = host.Get<IEventHistory>();
        var all = await ReadAsync(history, "car", Samples.Start, Samples.Start.AddYears(1));
        var expected = shown.Where(e => e is TickEvent || FieldOf(e) == "car").ToList();
        Assert.Equal(expected.Select(Content), all.Select(Content));

        var (from, to) = (Samples.Start.AddSeconds(1000), Samples.Start.AddSeconds(3000));
        var part = await ReadAsync(history, "car", from, to);
        Assert.Equal(expected.Where(e => e.ArrivedAt >= from && e.ArrivedAt < to).Select(Content), part.Select(Content));
        var kept = await history.KeptAsync("car", from, to, CancellationToken.None);
        Assert.InRange(kept.Messages, part.OfType<MessageEvent>().Count() * 0.8, all.Count);
        Assert.Equal(expected.OfType<MessageEvent>().First(m => m.Position % 17 != 0).ArrivedAt, kept.FirstMessage);
        Assert.Equal(expected.OfType<TickEvent>().First().ArrivedAt, kept.FirstTick!.Value, TimeSpan.FromMinutes(5));
        Assert.Empty(await ReadAsync(history, "nowhere", Samples.Start.AddYears(2), Samples.Start.AddYears(3)));
    }

    [Fact]
    public async Task A_field_that_does_not_log_keeps_neither_refusals_nor_repeats()
    {
        await using var host = await HistoryHost.StartAsync(Dialect.Sqlite);
        host.Others.Flow = host.Others.Flow with { Logging = false };
        host.Commit(Samples.Batch([], [Samples.Message(4)], Kinds(10)) with { Ticks = [new TickEvent { Position = 3, ArrivedAt = Samples.Start.AddSeconds(3), CorrelationId = "" }] });
        var all = await ReadAsync(host.Get<IEventHistory>(), "car", Samples.Start, Samples.Start.AddYears(1));
        Assert.DoesNotContain(all, e => e is RefusalEvent or MessageEvent);
        Assert.Contains(all, e => e is AuthenticationEvent);
    }

    private static async Task<List<GatewayEvent>> ReadAsync(IEventHistory history, string field, DateTimeOffset from, DateTimeOffset to)
    {
        var all = new List<GatewayEvent>();
        await foreach (var portion in history.ReadAsync(field, from, to, CancellationToken.None))
        {
            all.AddRange(portion);
        }

        return all;
    }

    private static GatewayEvent Any(Random random, long position)
    {
        var field = random.Next(3) == 0 ? "home" : "car";
        return random.Next(10) switch
        {
            0 => new TickEvent { Position = position, ArrivedAt = Samples.Start.AddSeconds(position), CorrelationId = "" },
            1 => Kinds(position)[random.Next(6)] with { Position = position },
            _ when random.Next(5) == 0 => Samples.Message(position, "d" + random.Next(5), field) with { Place = "room-" + random.Next(3), Path = random.Next(2) == 0 ? null : "a>b" },
            _ => Samples.Message(position, "d" + random.Next(5), field),
        };
    }

    private static string? FieldOf(GatewayEvent one) => one switch
    {
        MessageEvent e => e.FieldId,
        RefusalEvent e => e.FieldId,
        _ => "car",
    };

    // One of each kind that is a fact of the field "car".
    private static GatewayEvent[] Kinds(long position)
    {
        var at = Samples.Start.AddSeconds(position);
        var id = Samples.Hex(1);
        return
        [
            new AuthenticationEvent { Position = position, ArrivedAt = at, CorrelationId = id, FieldId = "car", DeviceId = "d1", Outcome = AuthenticationOutcomes.Bound, Source = "192.0.2.1", Client = "機器/1.0", UserId = null },
            new RefusalEvent { Position = position + 1, ArrivedAt = at, CorrelationId = id, Reason = RefusalReasons.Malformed, Source = "192.0.2.1", DeviceId = "d1", FieldId = "car", Count = 2, Bytes = 7, Detail = null },
            new DeviceChangedEvent { Position = position + 2, ArrivedAt = at, CorrelationId = "", FieldId = "car", DeviceId = "d1", State = "active", Reason = "理由" },
            new SimFactEvent { Position = position + 3, ArrivedAt = at, CorrelationId = id, FieldId = "car", DeviceId = "d1", Provider = "p", From = at.AddHours(-1), To = at, UplinkBytes = 5, Session = SimSessions.Attached, Cell = "c1" },
            new TrafficFactEvent { Position = position + 4, ArrivedAt = at, CorrelationId = id, FieldId = "car", DeviceId = "d1", From = at.AddMinutes(-1), To = at, AcceptedBytes = 1, RepeatedBytes = 0, FailedBytes = 0, Requests = 1, Retries = 0, Handshakes = 1, WireUp = null, WireDown = 9 },
            new ExceptionChangedEvent { Position = position + 5, ArrivedAt = at, CorrelationId = "", FieldId = "car", ExceptionId = "x1", InForce = true, Kind = ExceptionKinds.Mute, By = "anna", Until = at.AddDays(1) },
            new PriorEvent { Position = position + 6, ArrivedAt = at, CorrelationId = "", FieldId = "car", Metric = "size/recorder", Version = 2, Numbers = [1.5, 2] },
            new ScriptChangedEvent { Position = position + 7, ArrivedAt = at, CorrelationId = "", FieldId = "car", ScriptId = "s1", Version = 1, InForce = true, Effect = Effects.Act, Source = "return 1"u8.ToArray(), By = "anna" },
            new ScriptReportEvent { Position = position + 8, ArrivedAt = at, CorrelationId = "", FieldId = "car", ScriptId = "s1", Version = 1, Fault = "late" },
        ];
    }

    // Records compare lists and payloads by place. Repeats come back without content.
    private static string Content(GatewayEvent one) => one switch
    {
        MessageEvent m when m.Position % 17 == 0 => (m with { Payload = default, Transient = default }).ToString(),
        MessageEvent m => m.Stored().Content(),
        PriorEvent p => $"{p.Position} {p.ArrivedAt:O} {p.FieldId} {p.Metric} {p.Version} {string.Join(' ', p.Numbers)}",
        _ => one.ToString(),
    };
}
