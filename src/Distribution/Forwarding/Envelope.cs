using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Forwarding;

/// <summary>A message on its way out.</summary>
/// <param name="Message">The message.</param>
/// <param name="Backlog">Delivered late.</param>
internal readonly record struct Outgoing(MessageEvent Message, bool Backlog);

/// <summary>The wire format towards a field's cloud (docs/semantics.md). Pure.</summary>
internal static class Envelope
{
    /// <summary>Bytes of a batch entry beside its payload, at most about.</summary>
    public const int EntryOverhead = 512;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The body of a batch: an array of envelopes.</summary>
    public static byte[] Batch(IReadOnlyList<Outgoing> messages)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartArray();
            foreach (var (message, backlog) in messages)
            {
                json.WriteStartObject();
                json.WriteString("messageId", message.MessageId);
                json.WriteString("deviceId", message.DeviceId);
                json.WriteString("arrivalTime", Time(message.ArrivedAt));
                Text(json, "deviceTime", message.DeviceTime is { } time ? Time(time) : null);
                Text(json, "sequence", message.Sequence);
                Text(json, "mode", message.Mode);
                json.WriteBoolean("backlog", backlog);
                json.WriteString("correlationId", message.CorrelationId);
                json.WritePropertyName("payload");
                json.WriteRawValue(message.Payload.Span, skipInputValidation: true);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The headers of a single message, whose body is the payload itself.</summary>
    public static IEnumerable<(string Name, string Value)> Headers(Outgoing outgoing)
    {
        var message = outgoing.Message;
        yield return ("Sekisho-Message-Id", message.MessageId);
        yield return ("Sekisho-Device", message.DeviceId);
        yield return ("Sekisho-Arrival-Time", Time(message.ArrivedAt));
        if (message.DeviceTime is { } time)
        {
            yield return ("Sekisho-Device-Time", Time(time));
        }

        if (message.Sequence is { } sequence)
        {
            yield return ("Sekisho-Sequence", HeaderSafe(sequence));
        }

        yield return ("Sekisho-Backlog", outgoing.Backlog ? "true" : "false");
        yield return ("Sekisho-Correlation-Id", message.CorrelationId);
    }

    /// <summary>Value of Sekisho-Signature: t=UNIX-SECONDS,v1=HEX of HMAC-SHA256 over "t.body".</summary>
    public static string Signature(string secret, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        var seconds = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.ASCII.GetBytes(seconds + "."));
        hmac.AppendData(body);
        return $"t={seconds},v1={Convert.ToHexStringLower(hmac.GetHashAndReset())}";
    }

    // A device chooses its sequence; a header must stay one line of plain characters.
    private static string HeaderSafe(string text) => text.All(c => c is > ' ' and < '\x7f' and not '%') ? text : Uri.EscapeDataString(text);

    private static string Time(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, value);
        }
    }
}
