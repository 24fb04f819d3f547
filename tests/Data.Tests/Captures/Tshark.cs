using System.Diagnostics;
using Sekisho.EndToEnd.Tests;

namespace Sekisho.Data.Tests.Captures;

/// <summary>tshark and its companions, as a second opinion about captures.</summary>
internal static class Tshark
{
    /// <summary>The fields of <see cref="TsharkRow"/>.</summary>
    private static readonly string[] Fields =
    [
        "frame.interface_id", "frame.len", "frame.time_epoch", "frame.protocols",
        "eth.dst", "eth.src", "wlan.da", "wlan.sa", "wlan.ra", "wlan.ta", "fddi.dst", "fddi.src", "sll.src.eth",
        "vlan.id", "ieee8021ad.id",
        "arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4",
        "ip.src", "ip.dst", "ip.proto", "ip.ttl", "ipv6.src", "ipv6.dst", "ipv6.hlim",
        "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len",
        "udp.srcport", "udp.dstport", "udp.length", "sctp.srcport", "sctp.dstport",
        "icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code", "igmp.type",
    ];

    /// <summary>Each packet alone: nothing put together again, nothing doubted because of a checksum, no tunnels by guess; the tunnels that the sensor does not follow are closed to tshark too.</summary>
    private static readonly string[] Settings =
    [
        "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "ip.check_checksum:FALSE", "-o", "tcp.check_checksum:FALSE", "-o", "udp.check_checksum:FALSE",
        "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "wlan.defragment:FALSE",
        "-d", "udp.port==8472,vxlan",
        "--disable-protocol", "teredo", "--disable-protocol", "gtp", "--disable-protocol", "ayiya", "--disable-protocol", "socks", "--disable-protocol", "capwap", "--disable-protocol", "lwapp",
    ];

    /// <summary>The folder of recorded data.</summary>
    public static string Data { get; } = Path.Combine(Site.Root, "..", "shared", "data");

    /// <summary>What tshark says about each packet, in order.</summary>
    public static IEnumerable<TsharkRow> Rows(string file)
    {
        string[] arguments = ["-r", file, .. Settings, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,", .. Fields.SelectMany(f => (string[])["-e", f])];
        return Run("tshark", arguments).Select(line => new TsharkRow(Fields, line));
    }

    /// <summary>The lines that a program writes; fails when it fails.</summary>
    public static IEnumerable<string> Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        while (process.StandardOutput.ReadLine() is { } line)
        {
            yield return line;
        }

        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {errors.Result}");
    }
}
