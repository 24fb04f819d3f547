using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Sekisho.Api;
using Sekisho.Distribution.Connectors.Https;
using Sekisho.Distribution.Facts;
using Sekisho.Distribution.Journal;
using Sekisho.Distribution.Limits;
using Sekisho.Distribution.Mapping;
using Sekisho.Domain.Events;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests;

/// <summary>What the way of a message may allocate; the figures stand in bench/budgets.json.</summary>
public class BudgetTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Noon = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Parsing_a_message_of_512_bytes_holds_its_budget()
    {
        var parser = new MessageParser(new HttpsSettings());
        var mapping = MappingNode.Build(FieldMapping.Default);
        var sender = new Sender("cars", "d0123456789abcde", 1, "192.0.2.1", Noon, "0123456789abcdef0123456789abcdef");
        var body = Body(512);
        Assert.Equal(512, body.Length);
        GatewayEvent[]? events = null;
        var measured = Budget.Measure("message-parse", () => events = parser.Parse(body, sender, mapping, out _));
        output.WriteLine(measured.ToString());
        Assert.Single(events!);
        Assert.True(measured.Holds, measured.ToString());
    }

    [Fact]
    public void Encoding_a_block_of_64_messages_holds_its_budget()
    {
        var writer = new BlockWriter();
        var events = Enumerable.Range(1, 64).Select(i => (GatewayEvent)new MessageEvent
        {
            Position = i,
            ArrivedAt = Noon.AddMilliseconds(i),
            CorrelationId = "0123456789abcdef0123456789abcdef",
            FieldId = "cars",
            DeviceId = $"d{i:D15}",
            Epoch = 1,
            DeviceTime = Noon,
            Sequence = "42",
            Mode = "on",
            Source = "192.0.2.1",
            Size = 512,
            Payload = Body(512),
            MessageId = "0123456789abcdef0123456789abcdef",
        }).ToArray();
        var measured = Budget.Measure("journal-encode", () => BlockFormat.Encode(events, writer));
        output.WriteLine(measured.ToString());
        Assert.True(writer.Written.Length > 64 * 512);
        Assert.True(measured.Holds, measured.ToString());
    }

    [Fact]
    public async Task Counting_the_bytes_of_a_request_and_its_answer_holds_its_budget()
    {
        var inline = new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
        var (up, down) = (new Pipe(inline), new Pipe(inline));
        var traffic = new TrafficCounters();
        await using var connection = new DefaultConnectionContext { Transport = new Duplex(up.Reader, down.Writer) };
        IDuplexPipe? counted = null;
        var isOver = new TaskCompletionSource();
        var serving = new WireCounting(traffic).Middleware(c =>
        {
            counted = c.Transport;
            return isOver.Task;
        })(connection);
        var count = (WireCount)connection.Items[WireCharge.Key]!;
        var body = Body(512);
        void Exchange(IDuplexPipe own)
        {
            own.Input.AdvanceTo(Sent(own.Input.ReadAsync(), up.Writer, body).Buffer.End);
            Done(own.Output.WriteAsync(body.AsMemory(0, 100)));
            down.Reader.TryRead(out var answer);
            down.Reader.AdvanceTo(answer.Buffer.End);
        }

        var clock = TimeProvider.System;
        var (bare, start) = (new Duplex(up.Reader, down.Writer), clock.GetTimestamp());
        const int Rounds = 100_000;
        for (var i = 0; i < 2 * Rounds; i++)
        {
            start = i == Rounds ? clock.GetTimestamp() : start;
            Exchange(bare);
        }

        var without = clock.GetElapsedTime(start);
        var measured = Budget.Measure("wire-count", () =>
        {
            count.Charge("c1");
            Exchange(counted!);
            count.Charge("c1");
        });
        for (var i = 0; i < 2 * Rounds; i++)
        {
            start = i == Rounds ? clock.GetTimestamp() : start;
            count.Charge("c1");
            Exchange(counted!);
            count.Charge("c1");
        }

        var with = clock.GetElapsedTime(start);
        output.WriteLine($"{measured}; a request {with.TotalNanoseconds / Rounds:F0} ns counted, {without.TotalNanoseconds / Rounds:F0} ns not");
        isOver.SetResult();
        await serving;
        var told = traffic.Unreported().Single();
        Assert.Equal((512L * (told.WireDown / 100), 1L), (told.WireUp, told.Handshakes));
        Assert.True(told.WireDown >= 100 * 2 * Rounds);
        Assert.True(measured.Holds, measured.ToString());
    }

    /// <summary>The gateway waits before the device sends, as nearly always.</summary>
    private static ReadResult Sent(ValueTask<ReadResult> waiting, PipeWriter device, byte[] body)
    {
        Done(device.WriteAsync(body));
        return Done(waiting);
    }

    private static T Done<T>(ValueTask<T> task) => task.IsCompleted ? task.Result : throw new InvalidOperationException("The pipes are inline: nothing waits.");

    private static byte[] Body(int size)
    {
        const string Start = "{\"time\":\"2026-04-01T12:00:00Z\",\"seq\":42,\"mode\":\"on\",\"speed\":41.5,\"fuel\":0.7,\"note\":\"";
        return Encoding.UTF8.GetBytes(Start + new string('x', size - Start.Length - 2) + "\"}");
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
