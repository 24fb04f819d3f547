using System.Text.Json;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Scripting;

namespace Sekisho.Detection.Scripts;

/// <summary>
/// What a worker may read: the devices of its own field and their kept messages, so much at a time and so much in a run. One run, one thread.
/// <code>
/// history.now()                                        seconds since 1970 at the begin of the run
/// history.devices()                                    list of { device, kind, parent, user, state }
/// history.messages { device, from, to, most }          list of { device, at, time, mode, bytes, payload }, the newest last
/// </code>
/// </summary>
internal sealed class ScriptHistory(string fieldId, DateTimeOffset now, IEventHistory history, IDeviceDirectory directory, CancellationToken cancellation) : IScriptHost
{
    /// <summary>Longest span that one question may ask for.</summary>
    public static readonly TimeSpan LongestSpan = TimeSpan.FromDays(31);

    private const int MostDevices = 10_000;
    private const int MostMessages = 1000;
    private const int MostQuestions = 64;
    private const int MostRead = 200_000;
    private int _questions;
    private int _read;

    public HostAnswer Answer(string request, ReadOnlyMemory<byte> argument)
    {
        if (++_questions > MostQuestions)
        {
            return new HostAnswer(default, $"more than {MostQuestions} questions in one run");
        }

        using var asked = JsonDocument.Parse(argument);
        return request switch
        {
            "now" => Json(now.ToUnixTimeMilliseconds() / 1000.0),
            "devices" => Json(directory.DevicesOf(fieldId).OrderBy(d => d.DeviceId, StringComparer.Ordinal).Take(MostDevices).Select(d => new { device = d.DeviceId, kind = d.Kind, parent = d.ParentId, user = d.UserId, state = d.State })),
            "messages" => Messages(asked.RootElement),
            _ => new HostAnswer(default, $"there is no history.{request}"),
        };
    }

    private static HostAnswer Json<T>(T value) => new(JsonSerializer.SerializeToUtf8Bytes(value));

    private static DateTimeOffset? Time(JsonElement asked, string name) =>
        asked.ValueKind == JsonValueKind.Object && asked.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.GetDouble() is >= 0 and < 253_402_300_799
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)(value.GetDouble() * 1000)) : null;

    private HostAnswer Messages(JsonElement asked)
    {
        var to = Time(asked, "to") is { } end && end < now ? end : now;
        var from = Time(asked, "from") ?? to.AddDays(-1);
        if (to - from > LongestSpan)
        {
            return new HostAnswer(default, $"at most {LongestSpan.TotalDays} days at a time");
        }

        var device = asked.ValueKind == JsonValueKind.Object && asked.TryGetProperty("device", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
        var most = asked.ValueKind == JsonValueKind.Object && asked.TryGetProperty("most", out var many) && many.TryGetInt32(out var wanted) ? Math.Clamp(wanted, 1, MostMessages) : MostMessages;
        var kept = new Queue<MessageEvent>();
        return ReadAsync(from, to, device, most, kept).GetAwaiter().GetResult() is { } fault ? new HostAnswer(default, fault) : new HostAnswer(Write(kept));
    }

    // The worker's thread is there to wait.
    private async Task<string?> ReadAsync(DateTimeOffset from, DateTimeOffset to, string? device, int most, Queue<MessageEvent> kept)
    {
        await foreach (var portion in history.ReadAsync(fieldId, from, to, cancellation).ConfigureAwait(false))
        {
            foreach (var message in portion.OfType<MessageEvent>())
            {
                if (++_read > MostRead)
                {
                    return $"more than {MostRead} messages read in one run";
                }

                if (message.Payload.IsEmpty || (device is not null && message.DeviceId != device))
                {
                    continue;
                }

                kept.Enqueue(message);
                if (kept.Count > most)
                {
                    kept.Dequeue();
                }
            }
        }

        return null;
    }

    private static byte[] Write(IEnumerable<MessageEvent> messages)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartArray();
            foreach (var message in messages)
            {
                json.WriteStartObject();
                json.WriteString("device", message.DeviceId);
                json.WriteNumber("at", message.ArrivedAt.ToUnixTimeMilliseconds() / 1000.0);
                json.WriteNumber("time", (message.DeviceTime ?? message.ArrivedAt).ToUnixTimeMilliseconds() / 1000.0);
                if (message.Mode is not null)
                {
                    json.WriteString("mode", message.Mode);
                }

                json.WriteNumber("bytes", message.Size);
                json.WritePropertyName("payload");
                json.WriteRawValue(message.Payload.Span, skipInputValidation: true);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return bytes.WrittenSpan.ToArray();
    }
}
