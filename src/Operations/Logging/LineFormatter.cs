using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Sekisho.Operations.Logging;

/// <summary>
/// One line per entry, as text or as JSON: UTC time, level, category, event id, correlation id of the request, message, and in JSON the values.
/// No entry can forge another: line breaks and control characters in it are escaped. Any thread.
/// </summary>
internal sealed class LineFormatter(LoggingSettings settings, TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    /// <summary>Name that the console logger knows it by.</summary>
    public const string FormatterName = "sekisho";

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var values = logEntry.State as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
        var correlation = values.FirstOrDefault(v => v.Key == "CorrelationId").Value?.ToString() ?? InScope(scopeProvider);
        var time = clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        if (settings.Format == "json")
        {
            WriteJson(textWriter, time, logEntry.LogLevel, logEntry.Category, logEntry.EventId.Id, correlation, message, values, logEntry.Exception);
            return;
        }

        var line = new StringBuilder(200);
        line.Append(time).Append(' ').Append(Short(logEntry.LogLevel)).Append(' ').Append(logEntry.Category).Append('[').Append(logEntry.EventId.Id).Append("] ");
        if (correlation is not null)
        {
            AppendEscaped(line, correlation);
            line.Append(' ');
        }

        AppendEscaped(line, message);
        if (logEntry.Exception is { } exception)
        {
            line.Append(" | ");
            AppendEscaped(line, exception.ToString());
        }

        textWriter.WriteLine(line);
    }

    private static void WriteJson(
        TextWriter writer, string time, LogLevel level, string category, int eventId, string? correlation, string message, IReadOnlyList<KeyValuePair<string, object?>> values, Exception? exception)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Json))
        {
            json.WriteStartObject();
            json.WriteString("time", time);
            json.WriteString("level", Short(level));
            json.WriteString("category", category);
            json.WriteNumber("event", eventId);
            if (correlation is not null)
            {
                json.WriteString("correlationId", correlation);
            }

            json.WriteString("message", message);
            json.WriteStartObject("values");
            foreach (var (name, value) in values.Where(v => v.Key is not ("{OriginalFormat}" or "CorrelationId")).DistinctBy(v => v.Key))
            {
                json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
            }

            json.WriteEndObject();
            if (exception is not null)
            {
                json.WriteString("exception", exception.ToString());
            }

            json.WriteEndObject();
        }

        writer.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static string? InScope(IExternalScopeProvider? scopes)
    {
        var found = new StrongBox();
        scopes?.ForEachScope(
            static (scope, found) =>
            {
                if (scope is IEnumerable<KeyValuePair<string, object?>> values)
                {
                    found.Value = values.FirstOrDefault(v => v.Key == "CorrelationId").Value?.ToString() ?? found.Value;
                }
            },
            found);
        return found.Value;
    }

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "critical",
    };

    // C0, DEL, C1 and the Unicode line ends: terminals act on them and readers break lines at them.
    private static void AppendEscaped(StringBuilder line, string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c) || c is '\u2028' or '\u2029')
            {
                line.Append(c switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ => $"\\u{(int)c:x4}" });
            }
            else
            {
                line.Append(c);
            }
        }
    }

    private sealed class StrongBox
    {
        public string? Value { get; set; }
    }
}
