using System.Globalization;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;

namespace Sekisho.Data.Tests.Captures;

/// <summary>Whole recordings: what the headers of all packets add up to, against tshark's own sums.</summary>
public class CaptureTotals(ITestOutputHelper output)
{
    public static TheoryData<string> Recordings => TsharkTotals.Recordings;

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Packets_bytes_devices_and_conversations_of_a_recording_are_those_that_tshark_counts(string recording)
    {
        var path = Path.Combine(Tshark.Data, recording);
        var ours = Read(path);
        var theirs = TsharkTotals.Of(path);
        output.WriteLine(ours.ToString());
        Assert.Equal(theirs.Packets, ours.Packets);
        Assert.Equal(theirs.Bytes, ours.Bytes);
        Assert.Equal(theirs.Sent.OrderBy(s => s.Key), ours.Sent.OrderBy(s => s.Key));
        Assert.Equal(theirs.Conversations.Order(), ours.Conversations.Order());
    }

    private static RecordingTotals Read(string path)
    {
        var totals = new RecordingTotals();
        using var capture = CaptureFile.Open(path);
        var batch = new PacketHeader[32];
        for (var read = capture.Read(batch); read > 0; read = capture.Read(batch))
        {
            foreach (var header in batch[..read])
            {
                totals.AddDevice(header.SourceMac, header.WireLength);
                totals.Add("Ethernet", Mac(header.SourceMac), Mac(header.DestinationMac));
                if (header.IpVersion == 0)
                {
                    continue;
                }

                totals.Add(header.IpVersion == 4 ? "IPv4" : "IPv6", header.Source.ToString(), header.Destination.ToString());
                if (header.Protocol is 6 or 17 && header.Marks.HasFlag(PacketMarks.HasPorts))
                {
                    totals.Add(header.Protocol == 6 ? "TCP" : "UDP", $"{header.Source}:{header.SourcePort}", $"{header.Destination}:{header.DestinationPort}");
                }
            }
        }

        Assert.False(capture.Truncated);
        totals.Packets = capture.Packets;
        totals.Bytes = capture.Bytes;
        return totals;
    }

    private static string Mac(ulong mac) => string.Join(':', mac.ToString("x12", CultureInfo.InvariantCulture).Chunk(2).Select(c => new string(c)));
}
