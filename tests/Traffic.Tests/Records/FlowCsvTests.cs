using Sekisho.Traffic.Records;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Records;

public class FlowCsvTests
{
    [Fact]
    public void Records_are_lines_and_texts_are_quoted_where_they_must_be()
    {
        var record = new FlowRecord
        {
            Start = (1_700_000_000 * Second) + 123_456_000,
            End = 1_700_000_001 * Second,
            SourceMac = 0x0200000000FE,
            Source = Address("10.0.0.1"),
            Destination = Address("2001:db8::2"),
            EtherType = 0x0800,
            Protocol = 6,
            SourcePort = 40000,
            DestinationPort = 502,
            Packets = 12,
            Bytes = 1200,
            ReversePackets = 8,
            ReverseBytes = 800,
            TcpFlags = 0x1B,
            ReverseTcpFlags = 2,
            Vlan = 7,
            Service = "modbus",
            Exporter = Address("192.0.2.1"),
        };
        var text = new StringWriter();

        FlowCsv.Write(text, [record, record with { ReversePackets = null, ReverseBytes = null, Vlan = FlowRecord.NoVlan, Service = "=a,\"b\"", Exporter = default, SourceMac = 0 }]);

        Assert.Equal(
            "start,end,protocol,ether_type,source_mac,source,source_port,destination_mac,destination,destination_port,vlan,packets,bytes,reverse_packets,reverse_bytes,tcp_flags,reverse_tcp_flags,service,exporter,sampling\r\n" +
            "2023-11-14T22:13:20.123456Z,2023-11-14T22:13:21.000000Z,6,0x0800,02:00:00:00:00:fe,10.0.0.1,40000,,2001:db8::2,502,7,12,1200,8,800,0x1B,0x02,modbus,192.0.2.1,1\r\n" +
            "2023-11-14T22:13:20.123456Z,2023-11-14T22:13:21.000000Z,6,0x0800,,10.0.0.1,40000,,2001:db8::2,502,,12,1200,,,0x1B,0x02,\"'=a,\"\"b\"\"\",,1\r\n",
            text.ToString());
    }
}
