using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Distribution.Forwarding;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Tests.Forwarding;

public class EnvelopeTests
{
    [Fact]
    public void The_bytes_of_a_batch_are_pinned()
    {
        var buffer = new EnvelopeBuffer();
        Envelope.Batch([new Outgoing(Message("1", "on", Time(123)), false), new Outgoing(Message(null, null, null), true)], buffer);
        Assert.Equal(
            """
            [{"messageId":"00ff","deviceId":"dev1","arrivalTime":"2026-04-01T12:00:00.005Z","deviceTime":"2026-04-01T12:00:00.123Z","sequence":"1","mode":"on","backlog":false,"correlationId":"c0","payload":{"a":1}},{"messageId":"00ff","deviceId":"dev1","arrivalTime":"2026-04-01T12:00:00.005Z","deviceTime":null,"sequence":null,"mode":null,"backlog":true,"correlationId":"c0","payload":{"a":1}}]
            """,
            Text(buffer));
    }

    [Fact]
    public void Whatever_a_device_calls_its_sequence_arrives_as_it_was()
    {
        var buffer = new EnvelopeBuffer();
        var random = new Random(20260401);
        for (var round = 0; round < 2000; round++)
        {
            // All of the basic plane without surrogates, with a bias towards what JSON must escape.
            var text = new string([.. Enumerable.Range(0, random.Next(0, 20)).Select(_ => random.Next(3) == 0 ? (char)random.Next(0, 0x80) : (char)random.Next(0x80, 0xD800))]);
            buffer.Clear(keep: true);
            Envelope.Batch([new Outgoing(Message(text, "\"", null), false)], buffer);
            var read = JsonNode.Parse(Text(buffer))![0]!;
            Assert.Equal(text, read["sequence"]!.GetValue<string>());
            Assert.Equal("\"", read["mode"]!.GetValue<string>());
        }
    }

    [Fact]
    public void A_buffer_that_may_still_be_read_is_not_written_again()
    {
        var buffer = new EnvelopeBuffer();
        buffer.Raw("first"u8);
        var before = buffer.Bytes;
        buffer.Clear(keep: false);
        buffer.Raw("other"u8);
        Assert.Equal("first", Encoding.UTF8.GetString(before, 0, 5));
        Assert.NotSame(before, buffer.Bytes);
    }

    private static string Text(EnvelopeBuffer buffer) => Encoding.UTF8.GetString(buffer.Bytes, 0, buffer.Length);

    private static DateTimeOffset Time(int ms) => new(2026, 4, 1, 21, 0, 0, ms, TimeSpan.FromHours(9));

    private static MessageEvent Message(string? sequence, string? mode, DateTimeOffset? deviceTime) => new()
    {
        ArrivedAt = Time(5),
        CorrelationId = "c0",
        FieldId = "cars",
        DeviceId = "dev1",
        Epoch = 1,
        DeviceTime = deviceTime,
        Sequence = sequence,
        Mode = mode,
        Source = "192.0.2.1",
        Size = 7,
        Payload = "{\"a\":1}"u8.ToArray(),
        MessageId = "00ff",
    };
}
