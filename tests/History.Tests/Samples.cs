using System.Text;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.History.Tests;

/// <summary>Messages as detection hands them over.</summary>
internal static class Samples
{
    public static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    public static MessageEvent Message(
        long position, string device = "d000000000000001", string field = "car", string? payload = null, double second = double.NaN, string? correlation = null, string source = "192.0.2.7") => new()
        {
            Position = position,
            ArrivedAt = Start.AddSeconds(double.IsNaN(second) ? position : second),
            CorrelationId = correlation ?? Hex(position),
            FieldId = field,
            DeviceId = device,
            Epoch = 3,
            DeviceTime = Start.AddSeconds(position - 0.25).ToOffset(TimeSpan.FromHours(9)),
            Sequence = position.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Mode = "on",
            Source = source,
            Size = 40,
            Payload = Encoding.UTF8.GetBytes(payload ?? $$"""{"seq":{{position}},"temperature":21.5}"""),
            Transient = Encoding.UTF8.GetBytes("""{"pin":"only for detection"}"""),
            MessageId = Hex(position + 1_000_000),
        };

    public static string Hex(long value) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(value)).AsSpan(0, 16));

    public static LaneBatch Batch(IReadOnlyList<MessageChunk> chunks, IReadOnlyList<MessageEvent>? duplicates = null, IReadOnlyList<GatewayEvent>? facts = null) => new()
    {
        FirstPosition = 1,
        LastPosition = 1,
        Chunks = chunks,
        Duplicates = duplicates ?? [],
        Findings = [],
        Facts = facts ?? [],
    };

    /// <summary>A message without what is never stored, to compare with one that was read back.</summary>
    public static MessageEvent Stored(this MessageEvent message) => message with { Transient = default };

    /// <summary>A message as text, payload included: records compare payloads by place, not by content.</summary>
    public static string Content(this MessageEvent message) =>
        (message with { Payload = default, Transient = default }) + "|" + Encoding.UTF8.GetString(message.Payload.Span) + "|" + message.Transient.Length + "|" + message.DeviceTime?.Offset;
}
