using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Records;

/// <summary>
/// Reads a conn log of Zeek: tab-separated with its # header, JSON lines, or comma-separated with the names in the first line. Rows come in the order in which connections ended, not in that of their times.
/// A connection that Zeek saw no reply of has zero as reverse counts. One thread at a time.
/// </summary>
/// <param name="text">The log; read line by line.</param>
public sealed class ZeekConnReader(TextReader text)
{
    private const int LongestLine = 65_536;

    private static readonly string[] s_needed = ["ts", "id.orig_h", "id.resp_h"];

    private readonly char[] _buffer = new char[16_384];
    private readonly StringBuilder _line = new();
    private readonly Dictionary<string, int> _columns = new(StringComparer.Ordinal);
    private char _separator = '\t';
    private string _unset = "-";
    private string _empty = "(empty)";
    private bool _comma;
    private bool _json;
    private int _at;
    private int _held;

    /// <summary>Rows that hold no connection (damaged, cut, too long) and were passed over.</summary>
    public long Skipped { get; private set; }

    /// <summary>Whether the log ends inside a line: Zeek ends each. Known once <see cref="Read"/> returned null.</summary>
    public bool Truncated { get; private set; }

    /// <summary>Labels of the row that was read last, where the log has a column for them (IoT-23: "label", "detailed-label"); else empty.</summary>
    public (string Label, string Detail) Labels { get; private set; } = ("", "");

    /// <summary>Reads the next connection; null at the end. Throws <see cref="RecordFileException"/> when the text is no conn log.</summary>
    public FlowRecord? Read()
    {
        while (NextLine() is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            if (line[0] == '#')
            {
                ReadHeader(line);
                continue;
            }

            if (_columns.Count == 0 && !_json)
            {
                _json = line[0] == '{';
                if (!_json)
                {
                    ReadNames(line);
                    continue;
                }
            }

            if ((_json ? FromJson(line) : FromColumns(line)) is { } record)
            {
                return record;
            }

            Skipped++;
        }

        return null;
    }

    private string? NextLine()
    {
        _line.Clear();
        var tooLong = false;
        while (true)
        {
            if (_at == _held)
            {
                (_at, _held) = (0, text.Read(_buffer, 0, _buffer.Length));
                if (_held == 0)
                {
                    var isEnd = _line.Length == 0 && !tooLong;
                    Truncated |= !isEnd;
                    return isEnd ? null : Finish();
                }
            }

            var rest = _buffer.AsSpan(_at, _held - _at);
            var end = rest.IndexOf('\n');
            var part = end < 0 ? rest : rest[..end];
            _at += end < 0 ? rest.Length : end + 1;
            if (_line.Length + part.Length > LongestLine)
            {
                tooLong = true;
            }
            else
            {
                _line.Append(part);
            }

            if (end >= 0)
            {
                return Finish();
            }
        }

        string Finish()
        {
            if (tooLong)
            {
                Skipped++;
                return "";
            }

            return _line.ToString().TrimEnd('\r');
        }
    }

    private void ReadHeader(string line)
    {
        if (line.StartsWith("#separator ", StringComparison.Ordinal) && line.Length == 15 && line.AsSpan(11, 2) is "\\x" &&
            byte.TryParse(line.AsSpan(13), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var separator))
        {
            _separator = (char)separator;
            return;
        }

        var parts = line.Split(_separator);
        switch (parts[0])
        {
            case "#path" when parts.Length > 1 && parts[1] != "conn":
                throw new RecordFileException(RecordFileFault.OtherLog, parts[1], $"This is Zeek's log of \"{parts[1]}\", not of connections (conn).");
            case "#unset_field" when parts.Length > 1:
                _unset = parts[1];
                break;
            case "#empty_field" when parts.Length > 1:
                _empty = parts[1];
                break;
            case "#fields":
                SetColumns(Labelled(parts[1..]));
                break;
            default:
                break;
        }
    }

    private void ReadNames(string line)
    {
        _comma = true;
        (_unset, _separator) = ("", ',');
        SetColumns(SplitCommas(line));
    }

    private void SetColumns(List<string> names)
    {
        _columns.Clear();
        for (var i = 0; i < names.Count; i++)
        {
            _columns.TryAdd(names[i].Trim(), i);
        }

        if (!Array.TrueForAll(s_needed, _columns.ContainsKey))
        {
            var missing = string.Join(", ", s_needed.Where(name => !_columns.ContainsKey(name)));
            throw new RecordFileException(RecordFileFault.NoConnLog, missing, $"This is no conn log of Zeek: the fields {string.Join(", ", s_needed)} are needed.");
        }
    }

    /// <summary>The labelled logs of IoT-23 join their last three columns by three spaces.</summary>
    private static List<string> Labelled(string[] parts)
    {
        List<string> all = [.. parts];
        var last = all[^1].Split("   ", StringSplitOptions.RemoveEmptyEntries);
        if (last.Length > 1)
        {
            all.RemoveAt(all.Count - 1);
            all.AddRange(last);
        }

        return all;
    }

    private static List<string> SplitCommas(string line)
    {
        var parts = new List<string>();
        var part = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"')
            {
                if (quoted && i + 1 < line.Length && line[i + 1] == '"')
                {
                    part.Append(line[++i]);
                }
                else
                {
                    quoted = !quoted;
                }
            }
            else if (line[i] == ',' && !quoted)
            {
                parts.Add(part.ToString());
                part.Clear();
            }
            else
            {
                part.Append(line[i]);
            }
        }

        parts.Add(part.ToString());
        return parts;
    }

    private FlowRecord? FromColumns(string line)
    {
        var parts = _comma ? SplitCommas(line) : Labelled(line.Split(_separator));
        string? Field(string name) =>
            _columns.TryGetValue(name, out var column) && column < parts.Count && parts[column] != _unset && parts[column] != _empty ? parts[column] : null;
        return ToRecord(Field);
    }

    private FlowRecord? FromJson(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(line), new() { MaxDepth = 8 });
            var row = document.RootElement;
            if (row.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            string? Field(string name) => !row.TryGetProperty(name, out var value)
                ? null
                : value.ValueKind switch
                {
                    JsonValueKind.String => value.GetString(),
                    JsonValueKind.Number => value.GetRawText(),
                    _ => null,
                };
            return ToRecord(Field);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A damaged row, also one with half a surrogate in a string, is counted by the caller.
            return null;
        }
    }

    private FlowRecord? ToRecord(Func<string, string?> field)
    {
        if (Time(field("ts")) is not { } start || Address(field("id.orig_h")) is not { } source || Address(field("id.resp_h")) is not { } destination)
        {
            return null;
        }

        var history = field("history") ?? "";
        var state = field("conn_state") ?? "";
        Labels = (field("label") ?? "", field("detailed-label") ?? "");
        return new()
        {
            Start = start,
            End = Math.Max(start, Sum(start, Nanoseconds(field("duration")) ?? 0)),
            SourceMac = Mac(field("orig_l2_addr")),
            DestinationMac = Mac(field("resp_l2_addr")),
            Source = source,
            Destination = destination,
            EtherType = source.IsIPv4 ? Layer4.EtherTypeIPv4 : Layer4.EtherTypeIPv6,
            Protocol = field("proto") switch
            {
                "tcp" => Layer4.Tcp,
                "udp" => Layer4.Udp,
                "icmp" => source.IsIPv4 ? Layer4.Icmp : Layer4.IcmpV6,
                _ => (int)Math.Min(Count(field("ip_proto")) ?? 0, 255),
            },
            SourcePort = Port(field("id.orig_p")),
            DestinationPort = Port(field("id.resp_p")),
            Packets = Count(field("orig_pkts")) ?? 0,
            Bytes = Count(field("orig_ip_bytes")) ?? Count(field("orig_bytes")) ?? 0,
            ReversePackets = Count(field("resp_pkts")) ?? 0,
            ReverseBytes = Count(field("resp_ip_bytes")) ?? Count(field("resp_bytes")) ?? 0,
            TcpFlags = history.Length > 0 ? Flags(history, upper: true) : ZeekState.Flags(state),
            ReverseTcpFlags = history.Length > 0 ? Flags(history, upper: false) : ZeekState.ReverseFlags(state),
            ConnectionFailed = field("proto") == "tcp" ? ZeekState.HasFailed(state, carriedData: (Count(field("orig_bytes")) ?? 1) + (Count(field("resp_bytes")) ?? 1) > 0) : null,
            Vlan = Count(field("vlan")) is { } vlan and > 0 and < 4096 ? (int)vlan : FlowRecord.NoVlan,
            Service = field("service") ?? "",
        };
    }

    private static long Sum(long time, long duration) => duration > long.MaxValue - time ? long.MaxValue : time + duration;

    /// <summary>Seconds since 1970 with decimals, or a date in the form of ISO 8601.</summary>
    private static long? Time(string? value) =>
        Nanoseconds(value) ?? (DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) && date > DateTimeOffset.UnixEpoch && date.Year < 2200
            ? (date - DateTimeOffset.UnixEpoch).Ticks * 100
            : null);

    private static long? Nanoseconds(string? seconds)
    {
        const decimal Most = long.MaxValue / 1_000_000_000;
        return decimal.TryParse(seconds, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number) && number is >= 0 and < Most
            ? (long)(number * 1_000_000_000)
            : null;
    }

    private static long? Count(string? value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static int Port(string? value) => Count(value) is { } port and <= 65_535 ? (int)port : 0;

    private static NetAddress? Address(string? value) => IPAddress.TryParse(value, out var address) ? FlowListener.AddressOf(address) : null;

    private static ulong Mac(string? value)
    {
        if (value is not { Length: 17 })
        {
            return 0;
        }

        ulong mac = 0;
        for (var i = 0; i < 17; i += 3)
        {
            if (!byte.TryParse(value.AsSpan(i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var part))
            {
                return 0;
            }

            mac = (mac << 8) | part;
        }

        return mac;
    }

    /// <summary>Letters of Zeek's history: s SYN, h SYN with ACK, a ACK, d data, f FIN, r reset; capitals for the side that began.</summary>
    private static int Flags(string history, bool upper)
    {
        var flags = 0;
        foreach (var letter in history)
        {
            if (char.IsAsciiLetterUpper(letter) == upper)
            {
                flags |= char.ToLowerInvariant(letter) switch
                {
                    's' => Layer4.Syn,
                    'h' => Layer4.Syn | Layer4.Acknowledgement,
                    'a' or 'd' => Layer4.Acknowledgement,
                    'f' => Layer4.Fin | Layer4.Acknowledgement,
                    'r' => Layer4.Reset,
                    _ => 0,
                };
            }
        }

        return flags;
    }
}
