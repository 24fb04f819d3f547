using System.Globalization;
using System.Security.Cryptography;
using System.Text;
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

    /// <summary>The body of a batch: an array of envelopes, appended to the buffer.</summary>
    public static void Batch(IReadOnlyList<Outgoing> messages, EnvelopeBuffer body)
    {
        body.Raw("["u8);
        for (var i = 0; i < messages.Count; i++)
        {
            var (message, backlog) = messages[i];
            body.Raw(i == 0 ? "{\"messageId\":"u8 : ",{\"messageId\":"u8);
            body.Text(message.MessageId);
            body.Raw(",\"deviceId\":"u8);
            body.Text(message.DeviceId);
            body.Raw(",\"arrivalTime\":"u8);
            body.Time(message.ArrivedAt);
            body.Raw(",\"deviceTime\":"u8);
            body.Time(message.DeviceTime);
            body.Raw(",\"sequence\":"u8);
            body.Text(message.Sequence);
            body.Raw(",\"mode\":"u8);
            body.Text(message.Mode);
            body.Raw(backlog ? ",\"backlog\":true,\"correlationId\":"u8 : ",\"backlog\":false,\"correlationId\":"u8);
            body.Text(message.CorrelationId);

            // Checked when it came in.
            body.Raw(",\"payload\":"u8);
            body.Raw(message.Payload.Span);
            body.Raw("}"u8);
        }

        body.Raw("]"u8);
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
}
