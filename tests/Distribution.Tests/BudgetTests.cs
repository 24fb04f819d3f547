using System.Text;
using Sekisho.Distribution.Connectors.Https;
using Sekisho.Distribution.Journal;
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

    private static byte[] Body(int size)
    {
        const string Start = "{\"time\":\"2026-04-01T12:00:00Z\",\"seq\":42,\"mode\":\"on\",\"speed\":41.5,\"fuel\":0.7,\"note\":\"";
        return Encoding.UTF8.GetBytes(Start + new string('x', size - Start.Length - 2) + "\"}");
    }
}
