using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Sekisho.Verification;

/// <summary>A message as the customer's cloud received it.</summary>
public sealed record ReceivedMessage
{
    /// <summary>Stable identity, by which a receiver de-duplicates.</summary>
    public required string MessageId { get; init; }

    /// <summary>The sender.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Sequence given by the device; null when absent.</summary>
    public string? Sequence { get; init; }

    /// <summary>When the gateway received it, as written by it.</summary>
    public string? ArrivalTime { get; init; }

    /// <summary>The device's own clock, as written by the gateway; null when absent.</summary>
    public string? DeviceTime { get; init; }

    /// <summary>Operating mode; null when absent.</summary>
    public string? Mode { get; init; }

    /// <summary>Marked as a stored reading delivered late.</summary>
    public bool Backlog { get; init; }

    /// <summary>Correlation id; null when absent.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>The payload's bytes, UTF-8.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The payload as text.</summary>
    public string PayloadText => Encoding.UTF8.GetString(Payload.Span);

    /// <summary>Reads a request of either form: single (the body is the payload, the rest in headers) or batch (a JSON array).</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    internal static IReadOnlyList<ReceivedMessage> Read(IHeaderDictionary headers, byte[] body)
    {
        if (Header(headers, "Sekisho-Message-Id") is { } id)
        {
            return
            [
                new ReceivedMessage
                {
                    MessageId = id,
                    DeviceId = Header(headers, "Sekisho-Device") ?? throw new FormatException("The header Sekisho-Device is missing."),
                    Sequence = Header(headers, "Sekisho-Sequence"),
                    ArrivalTime = Header(headers, "Sekisho-Arrival-Time"),
                    DeviceTime = Header(headers, "Sekisho-Device-Time"),
                    Mode = Header(headers, "Sekisho-Mode"),
                    Backlog = string.Equals(Header(headers, "Sekisho-Backlog"), "true", StringComparison.OrdinalIgnoreCase),
                    CorrelationId = Header(headers, "Sekisho-Correlation-Id"),
                    Payload = body,
                },
            ];
        }

        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 1000 });
            return [.. document.RootElement.EnumerateArray().Select(Element)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("The request is neither a single message (header Sekisho-Message-Id) nor a batch (JSON array of messages).", e);
        }
    }

    private static ReceivedMessage Element(JsonElement element) => new()
    {
        MessageId = element.GetProperty("messageId").GetString() ?? throw new FormatException("A message of the batch has no messageId."),
        DeviceId = element.GetProperty("deviceId").GetString() ?? throw new FormatException("A message of the batch has no deviceId."),
        Sequence = Text(element, "sequence"),
        ArrivalTime = Text(element, "arrivalTime"),
        DeviceTime = Text(element, "deviceTime"),
        Mode = Text(element, "mode"),
        Backlog = element.TryGetProperty("backlog", out var backlog) && backlog.ValueKind == JsonValueKind.True,
        CorrelationId = Text(element, "correlationId"),
        Payload = Encoding.UTF8.GetBytes(element.GetProperty("payload").GetRawText()),
    };

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    }
    : null;

    private static string? Header(IHeaderDictionary headers, string name) => headers.TryGetValue(name, out var value) && value.Count == 1 ? value[0] : null;
}
