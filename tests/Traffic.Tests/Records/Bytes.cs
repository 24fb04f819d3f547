using System.Buffers.Binary;
using System.Net;
using Sekisho.Traffic.Records;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Tests.Records;

/// <summary>Messages of flow exporters, byte by byte.</summary>
internal static class Bytes
{
    public const long Second = 1_000_000_000;
    public static readonly FlowSource Datagrams = new(Address("192.0.2.200"), 40000, IsStream: false);
    public static readonly FlowSource Connection = Datagrams with { IsStream = true };

    public static NetAddress Address(string text)
    {
        var bytes = IPAddress.Parse(text).GetAddressBytes();
        return bytes.Length == 4 ? NetAddress.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes)) : NetAddress.FromIPv6(bytes);
    }

    public static byte[] Two(int value) => [(byte)(value >> 8), (byte)value];

    public static byte[] Four(long value) => [.. Two((int)(value >> 16)), .. Two((int)value)];

    public static byte[] Eight(long value) => [.. Four(value >> 32), .. Four(value)];

    public static byte[] Of(string address) => IPAddress.Parse(address).GetAddressBytes();

    public static byte[] Set(int number, params byte[][] parts)
    {
        byte[] body = [.. parts.SelectMany(p => p)];
        return [.. Two(number), .. Two(4 + body.Length), .. body];
    }

    /// <summary>A template of fields (element, length); elements above 32767 carry an enterprise number as third.</summary>
    public static byte[] Template(int number, params int[][] fields) => [.. Two(number), .. Two(fields.Length), .. Fields(fields)];

    public static byte[] OptionsTemplate(int number, int scopes, params int[][] fields) => [.. Two(number), .. Two(fields.Length), .. Two(scopes), .. Fields(fields)];

    public static byte[] Ipfix(long exported, uint sequence, uint domain, params byte[][] sets)
    {
        byte[] body = [.. sets.SelectMany(s => s)];
        return [.. Two(10), .. Two(16 + body.Length), .. Four(exported), .. Four(sequence), .. Four(domain), .. body];
    }

    public static byte[] Nine(long uptime, long exported, uint sequence, uint domain, params byte[][] sets) =>
        [.. Two(9), .. Two(sets.Length), .. Four(uptime), .. Four(exported), .. Four(sequence), .. Four(domain), .. sets.SelectMany(s => s)];

    public static byte[] Five(long uptime, long exported, uint sequence, int sampling, params byte[][] records) =>
        [.. Two(5), .. Two(records.Length), .. Four(uptime), .. Four(exported), .. Four(0), .. Four(sequence), .. Two(0), .. Two(sampling), .. records.SelectMany(r => r)];

    public static byte[] FiveRecord(string from, string to, int sourcePort, int destinationPort, byte protocol, byte flags, long packets, long bytes, long first, long last) =>
        [.. Of(from), .. Of(to), 0, 0, 0, 0, .. Two(1), .. Two(2), .. Four(packets), .. Four(bytes), .. Four(first), .. Four(last), .. Two(sourcePort), .. Two(destinationPort), 0, flags, protocol, 0, 0, 0, 0, 0, 24, 24, 0, 0];

    private static byte[] Fields(int[][] fields) =>
        [.. fields.SelectMany(f => f.Length > 2 ? (byte[])[.. Two(f[0] | 0x8000), .. Two(f[1]), .. Four(f[2])] : [.. Two(f[0]), .. Two(f[1])])];
}
