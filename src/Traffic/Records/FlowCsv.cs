using System.Globalization;

namespace Sekisho.Traffic.Records;

/// <summary>Writes records as comma-separated values (RFC 4180), times in UTC by ISO 8601, numbers without grouping.</summary>
public static class FlowCsv
{
    /// <summary>Names of the columns; new ones come behind.</summary>
    public const string Header =
        "start,end,protocol,ether_type,source_mac,source,source_port,destination_mac,destination,destination_port,vlan,packets,bytes,reverse_packets,reverse_bytes,tcp_flags,reverse_tcp_flags,service,exporter,sampling";

    /// <summary>Writes the header line and a line for each record; lines end in CRLF.</summary>
    public static void Write(TextWriter to, IEnumerable<FlowRecord> records)
    {
        to.Write(Header);
        to.Write("\r\n");
        WriteRows(to, records);
    }

    /// <summary>Writes a line for each record.</summary>
    public static void WriteRows(TextWriter to, IEnumerable<FlowRecord> records)
    {
        foreach (var record in records)
        {
            to.Write(Line(record));
            to.Write("\r\n");
        }
    }

    private static string Line(FlowRecord r) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Time(r.Start)},{Time(r.End)},{r.Protocol},0x{r.EtherType:X4},{Mac(r.SourceMac)},{Address(r.Source)},{r.SourcePort},{Mac(r.DestinationMac)},{Address(r.Destination)},{r.DestinationPort},{(r.Vlan == FlowRecord.NoVlan ? "" : r.Vlan)},{r.Packets},{r.Bytes},{r.ReversePackets},{r.ReverseBytes},0x{r.TcpFlags:X2},0x{r.ReverseTcpFlags:X2},{Quoted(r.Service)},{Address(r.Exporter)},{r.Sampling}");

    private static string Time(long nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static string Address(Wire.Features.NetAddress address) => address.IsNone ? "" : address.ToString();

    private static string Mac(ulong mac) => mac == 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"{(mac >> 40) & 0xFF:x2}:{(mac >> 32) & 0xFF:x2}:{(mac >> 24) & 0xFF:x2}:{(mac >> 16) & 0xFF:x2}:{(mac >> 8) & 0xFF:x2}:{mac & 0xFF:x2}");

    // Text that a spreadsheet would take for a formula is made harmless.
    private static string Quoted(string text)
    {
        if (text.Length == 0)
        {
            return "";
        }

        var plain = text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + text : text;
        return plain.AsSpan().IndexOfAny(",\"\r\n") < 0 ? plain : $"\"{plain.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
