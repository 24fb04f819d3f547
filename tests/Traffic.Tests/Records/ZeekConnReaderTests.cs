using Sekisho.Tests.Support;
using Sekisho.Traffic.Records;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Records;

public class ZeekConnReaderTests
{
    private const string Header = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2019-12-05-15-46-36\n" +
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents   label   detailed-label\n" +
        "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\tcount\tcount\tcount\tset[string]   string   string\n";

    private const string Dns = "1547127287.987598\tCq43w4aHlsW8nXZ3l\t192.168.1.197\t59357\t192.168.1.1\t53\tudp\tdns\t0.029483\t58\t146\tSF\t-\t-\t0\tDd\t2\t114\t2\t202\t-   Benign   -\n";
    private const string Http = "1547127288.026074\tCXY5uG2sSmjJ0grfY2\t192.168.1.197\t58312\t104.24.96.120\t80\ttcp\thttp\t3.909013\t83\t67212\tSF\t-\t-\t4380\tShADadttFf\t54\t3371\t50\t69224\t-   Malicious   C&C-FileDownload\n";

    [Fact]
    public void A_labelled_log_of_IoT_23_is_read_with_its_labels_behind_three_spaces()
    {
        var reader = new ZeekConnReader(new StringReader(Header + Http + Dns + "#close\t2019-12-05-15-46-36\n"));

        Assert.Equal(
            new FlowRecord
            {
                Start = 1547127288_026074000,
                End = 1547127288_026074000 + 3_909013000,
                Source = Address("192.168.1.197"),
                Destination = Address("104.24.96.120"),
                EtherType = 0x0800,
                Protocol = 6,
                SourcePort = 58312,
                DestinationPort = 80,
                Packets = 54,
                Bytes = 3371,
                ReversePackets = 50,
                ReverseBytes = 69224,
                TcpFlags = 0x13,
                ReverseTcpFlags = 0x13,
                ConnectionFailed = false,
                Service = "http",
            },
            reader.Read());
        Assert.Equal(("Malicious", "C&C-FileDownload"), reader.Labels);

        // The second row begins earlier: rows come in the order in which they ended.
        Assert.Equal((1547127287_987598000, 17, "dns"), reader.Read() is { } dns ? (dns.Start, dns.Protocol, dns.Service) : default);
        Assert.Equal("Benign", reader.Labels.Label);
        Assert.Null(reader.Read());
        Assert.Equal(0, reader.Skipped);
    }

    [Theory]
    [InlineData("S0", "", 0x02, 0, true)]
    [InlineData("REJ", "Sr", 0x02, 0x04, true)]
    [InlineData("REJ", "", 0x02, 0x14, true)]
    [InlineData("RSTOS0", "SR", 0x06, 0, true)]
    [InlineData("RSTO", "ShAR", 0x16, 0x12, true)]
    [InlineData("SF", "", 0x13, 0x13, false)]
    [InlineData("SHR", "", 0, 0x13, null)]
    [InlineData("", "", 0, 0, null)]
    public void The_state_of_a_connection_says_whether_it_failed_and_what_flags_it_had_where_no_history_stands(string state, string history, int flags, int reverse, bool? failed)
    {
        var row = $$"""{"ts":1,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","proto":"tcp","conn_state":"{{state}}","history":"{{history}}","orig_bytes":0,"resp_bytes":0}""";

        var record = new ZeekConnReader(new StringReader(row)).Read()!;

        Assert.Equal((flags, reverse, failed), (record.TcpFlags, record.ReverseTcpFlags, record.ConnectionFailed));
    }

    [Theory]
    [InlineData("tcp", "RSTO", "5", false)]
    [InlineData("tcp", "RSTO", "null", false)]
    [InlineData("udp", "S0", "0", null)]
    public void A_reset_after_data_and_what_is_not_TCP_are_no_failures(string protocol, string state, string bytes, bool? failed)
    {
        var row = $$"""{"ts":1,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","proto":"{{protocol}}","conn_state":"{{state}}","orig_bytes":{{bytes}},"resp_bytes":0}""";

        Assert.Equal(failed, new ZeekConnReader(new StringReader(row)).Read()!.ConnectionFailed);
    }

    [Fact]
    public void JSON_lines_are_read_with_either_kind_of_time()
    {
        var reader = new ZeekConnReader(new StringReader(
            """
            {"ts":1547127288.026074,"uid":"C1","id.orig_h":"fe80::1","id.orig_p":135,"id.resp_h":"ff02::1","id.resp_p":136,"proto":"icmp","orig_pkts":2,"orig_ip_bytes":128,"resp_pkts":0,"resp_ip_bytes":0,"orig_l2_addr":"02:00:00:00:00:0a","vlan":12}
            {"ts":"2019-01-10T13:34:48.026074Z","id.orig_h":"10.0.0.1","id.orig_p":5,"id.resp_h":"10.0.0.2","id.resp_p":502,"proto":"tcp","orig_bytes":7,"history":"Sr"}

            """));

        var first = reader.Read()!;
        var second = reader.Read()!;

        Assert.Equal((58, 135, 136, 2L, 0x02000000000AUL, 12, 0x86DD), (first.Protocol, first.SourcePort, first.DestinationPort, first.Packets, first.SourceMac, first.Vlan, first.EtherType));
        Assert.Equal((first.Start, 7L, 2, 4), (second.Start, second.Bytes, second.TcpFlags, second.ReverseTcpFlags));
        Assert.Null(reader.Read());
    }

    [Fact]
    public void Comma_separated_values_are_read_by_the_names_in_the_first_line()
    {
        var reader = new ZeekConnReader(new StringReader(
            "ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,service,duration,orig_pkts,orig_ip_bytes,resp_pkts,resp_ip_bytes,label\r\n" +
            "1540469303,C1,192.168.1.132,58687,216.239.35.4,123,udp,\"a,b\"\"c\",,1,76,1,76,benign\r\n"));

        var record = reader.Read()!;

        Assert.Equal((1540469303 * Second, 1540469303 * Second, "a,b\"c", 76L, "benign"), (record.Start, record.End, record.Service, record.Bytes, reader.Labels.Label));
        Assert.Null(reader.Read());
    }

    [Fact]
    public void Damaged_rows_are_counted_and_passed_over()
    {
        var reader = new ZeekConnReader(new StringReader(Header + "1547127288\n" + Dns.Replace("192.168.1.1\t", "nowhere\t", StringComparison.Ordinal) + new string('x', 200_000) + "\n\n" + Dns + "1547127287.98\tCq43w4"));

        Assert.NotNull(reader.Read());
        Assert.Null(reader.Read());
        Assert.Equal(4, reader.Skipped);
    }

    [Theory]
    [InlineData("#separator \\x09\n#path\tdns\n", "dns")]
    [InlineData("hello,world\n", "ts, id.orig_h, id.resp_h")]
    public void Another_log_is_refused_with_a_word_why(string text, string why)
    {
        var fault = Assert.Throws<RecordFileException>(() => new ZeekConnReader(new StringReader(text)).Read());

        Assert.Contains(why, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_does_more_than_to_be_refused()
    {
        var random = Fuzz.Source(99);
        string[] seeds = [Header + Http + Dns, "{\"ts\":1547127288.026074,\"id.orig_h\":\"fe80::1\",\"id.orig_p\":135,\"id.resp_h\":\"ff02::1\",\"id.resp_p\":\"\\ud800\",\"proto\":\"icmp\"}\n{}\n[]\n", "ts,id.orig_h,id.resp_h,duration\n1,10.0.0.1,10.0.0.2,\"5\"\n"];
        var read = 0;
        for (var round = 0; round < Fuzz.Rounds(5_000); round++)
        {
            var text = seeds[random.Next(seeds.Length)].ToCharArray();
            for (var change = random.Next(6); change > 0; change--)
            {
                text[random.Next(text.Length)] = (char)random.Next(random.Next(10) == 0 ? 65_536 : 128);
            }

            try
            {
                var reader = new ZeekConnReader(new StringReader(new string(text)));
                while (reader.Read() is { } record)
                {
                    Assert.True(record.Start >= 0 && record.End >= record.Start && record.Packets >= 0 && record.Bytes >= 0);
                    read++;
                }
            }
            catch (RecordFileException)
            {
                // The names of the columns were hit.
            }
        }

        Assert.True(read > 1000);
    }
}
