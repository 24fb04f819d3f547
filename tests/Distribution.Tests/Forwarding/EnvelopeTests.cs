using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sekisho.Distribution.Forwarding;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Tests.Forwarding;

public class EnvelopeTests
{
    [Fact]
    public void The_body_of_a_batch_is_that_of_the_first_version()
    {
        Outgoing[] messages =
        [
            new(Message(sequence: "42", mode: "on", time: new DateTimeOffset(2026, 4, 1, 9, 0, 0, 7, TimeSpan.FromHours(9))), Backlog: false),
            new(Message(sequence: "a\"\\\n号<>&'+", mode: null, time: null) with { Payload = "{ \"x\" : 1.0, \"x\":\"\\u0041\" }"u8.ToArray() }, Backlog: true),
        ];
        const string Expected =
            """[{"messageId":"ffeeddccbbaa99887766554433221100","deviceId":"d1","arrivalTime":"2026-04-01T00:00:00.050Z","deviceTime":"2026-04-01T00:00:00.007Z","sequence":"42","mode":"on","backlog":false,"correlationId":"0123456789abcdef0123456789abcdef","payload":{"a":1}},"""
            + """{"messageId":"ffeeddccbbaa99887766554433221100","deviceId":"d1","arrivalTime":"2026-04-01T00:00:00.050Z","deviceTime":null,"sequence":"a\"\\\n号<>&'+","mode":null,"backlog":true,"correlationId":"0123456789abcdef0123456789abcdef","payload":{ "x" : 1.0, "x":"\u0041" }}]""";
        Assert.Equal(Expected, Encoding.UTF8.GetString(Batch(messages)));
    }

    [Fact]
    public void Any_text_and_time_is_written_as_the_json_writer_of_the_framework_writes_it()
    {
        var random = new Random(9);
        for (var round = 0; round < 500; round++)
        {
            var messages = Enumerable.Range(0, random.Next(0, 20)).Select(_ => new Outgoing(
                Message(Text(random), random.Next(2) == 0 ? null : Text(random), random.Next(2) == 0 ? null : Time(random)) with { DeviceId = Text(random), ArrivedAt = Time(random), CorrelationId = Text(random) },
                random.Next(2) == 0)).ToArray();
            Assert.Equal(Encoding.UTF8.GetString(Reference(messages)), Encoding.UTF8.GetString(Batch(messages)));
        }
    }

    [Fact]
    public void Plain_messages_are_written_without_an_allocation_for_each()
    {
        var messages = Enumerable.Range(0, 1000).Select(i => new Outgoing(Message(sequence: "42", mode: "on", time: DateTimeOffset.UnixEpoch), Backlog: false)).ToArray();
        Envelope.Batch(messages, new EnvelopeBuffer(1 << 20));
        var body = new EnvelopeBuffer(1 << 20);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Envelope.Batch(messages, body);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        body.Return();
    }

    private static byte[] Batch(IReadOnlyList<Outgoing> messages)
    {
        var body = new EnvelopeBuffer(16);
        Envelope.Batch(messages, body);
        var bytes = body.Written.ToArray();
        body.Return();
        return bytes;
    }

    private static byte[] Reference(IReadOnlyList<Outgoing> messages)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartArray();
            foreach (var (message, backlog) in messages)
            {
                json.WriteStartObject();
                json.WriteString("messageId", message.MessageId);
                json.WriteString("deviceId", message.DeviceId);
                json.WriteString("arrivalTime", Utc(message.ArrivedAt));
                json.WriteString("deviceTime", message.DeviceTime is { } time ? Utc(time) : null);
                json.WriteString("sequence", message.Sequence);
                json.WriteString("mode", message.Mode);
                json.WriteBoolean("backlog", backlog);
                json.WriteString("correlationId", message.CorrelationId);
                json.WritePropertyName("payload");
                json.WriteRawValue(message.Payload.Span);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static string Utc(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Text(Random random) => new([.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(12) switch
    {
        0 => (char)random.Next(0x20),
        1 => (char)random.Next(0x7f, 0x100),
        2 => (char)random.Next(0x100, 0xd800),
        3 => (char)random.Next(0xd800, 0xe000),
        4 => "\"\\/<>&'+`"[random.Next(9)],
        _ => (char)random.Next(0x20, 0x7f),
    })]);

    private static DateTimeOffset Time(Random random) =>
        new DateTimeOffset(random.NextInt64(DateTimeOffset.MinValue.AddDays(1).Ticks, DateTimeOffset.MaxValue.AddDays(-1).Ticks), TimeSpan.Zero).ToOffset(TimeSpan.FromMinutes(random.Next(-840, 841)));

    private static MessageEvent Message(string? sequence, string? mode, DateTimeOffset? time) => new()
    {
        Position = 1,
        ArrivedAt = new DateTimeOffset(2026, 4, 1, 0, 0, 0, 50, TimeSpan.Zero),
        CorrelationId = "0123456789abcdef0123456789abcdef",
        FieldId = "car",
        DeviceId = "d1",
        Epoch = 1,
        DeviceTime = time,
        Sequence = sequence,
        Mode = mode,
        Source = "192.0.2.1",
        Size = 7,
        Payload = "{\"a\":1}"u8.ToArray(),
        MessageId = "ffeeddccbbaa99887766554433221100",
    };
}
