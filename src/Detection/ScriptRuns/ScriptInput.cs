using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sekisho.Detection.Conditions;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.ScriptRuns;

/// <summary>Writes a signal as the JSON that scripts are given. Times are seconds since 1970 (UTC). One lane at a time.</summary>
internal sealed class ScriptInput(TimeZoneInfo zone) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _bytes = new(1024);
    private readonly Utf8JsonWriter _json = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    public ReadOnlyMemory<byte> Write(in Signal signal)
    {
        _bytes.ResetWrittenCount();
        _json.Reset(_bytes);
        _json.WriteStartObject();
        _json.WriteString("kind", NameOf(signal.Kind));
        Time("at", signal.At);
        Time("time", signal.EventAt);
        Text("device", signal.DeviceId);
        Text("user", signal.UserId);
        Text("deviceKind", signal.Device?.Kind);
        Text("parent", signal.ParentId);
        Text("place", signal.Place);
        Text("source", signal.Source.Text);
        Local(signal.EventAt);
        if (signal.Kind is SignalKind.Message or SignalKind.Duplicate)
        {
            Message(signal);
        }
        else if (signal.Kind != SignalKind.Tick)
        {
            Text("what", signal.What);
            _json.WriteNumber("count", signal.Count);
            _json.WriteNumber("bytes", signal.Bytes);
            Fact(signal);
        }

        _json.WriteEndObject();
        _json.Flush();
        return _bytes.WrittenMemory;
    }

    public void Dispose() => _json.Dispose();

    private static string NameOf(SignalKind kind)
    {
        foreach (var (name, known) in ManifestReader.Signals)
        {
            if (known == kind)
            {
                return name;
            }
        }

        return "";
    }

    private void Message(in Signal signal)
    {
        _json.WriteNumber("bytes", signal.Bytes);
        _json.WriteBoolean("backlog", signal.Backlog);
        Text("mode", signal.Mode);
        if (signal.DeviceTime != 0)
        {
            Time("deviceTime", signal.DeviceTime);
        }

        if (signal.Sequence != Signal.NoSequence)
        {
            _json.WriteNumber("sequence", signal.Sequence);
        }

        Raw("payload", signal.Payload);
        Raw("transient", signal.Transient);
    }

    private void Fact(in Signal signal)
    {
        switch (signal.Happened)
        {
            case SimFactEvent sim:
                Time("from", sim.From.ToUnixTimeMilliseconds());
                Time("to", sim.To.ToUnixTimeMilliseconds());
                Number("up", sim.UplinkBytes);
                Number("down", sim.DownlinkBytes);
                Text("address", sim.Address);
                Text("cell", sim.Cell);
                Text("site", sim.Site);
                break;
            case TrafficFactEvent traffic:
                Time("from", traffic.From.ToUnixTimeMilliseconds());
                Time("to", traffic.To.ToUnixTimeMilliseconds());
                _json.WriteNumber("repeated", traffic.RepeatedBytes);
                _json.WriteNumber("failed", traffic.FailedBytes);
                _json.WriteNumber("retries", traffic.Retries);
                _json.WriteNumber("handshakes", traffic.Handshakes);
                Number("up", traffic.WireUp);
                Number("down", traffic.WireDown);
                break;
            default:
                break;
        }
    }

    private void Local(long at)
    {
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(at), zone);
        _json.WriteStartObject("local");
        _json.WriteString("date", local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        _json.WriteNumber("hour", local.Hour);
        _json.WriteNumber("minute", local.Minute);
        _json.WriteNumber("weekday", (int)local.DayOfWeek);
        _json.WriteEndObject();
    }

    private void Raw(string name, ReadOnlySpan<byte> json)
    {
        if (!json.IsEmpty)
        {
            _json.WritePropertyName(name);
            _json.WriteRawValue(json, skipInputValidation: true);
        }
    }

    private void Text(string name, string? value)
    {
        if (value is not null)
        {
            _json.WriteString(name, value);
        }
    }

    private void Number(string name, long? value)
    {
        if (value is { } number)
        {
            _json.WriteNumber(name, number);
        }
    }

    private void Time(string name, long milliseconds) => _json.WriteNumber(name, milliseconds / 1000.0);
}
