using Sekisho.Tests.Support;
using Sekisho.Traffic.Records;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Records;

public class FlowDecoderTests
{
    private const long Exported = 1_700_000_000;
    private static readonly int[][] s_plain = [[8, 4], [12, 4], [15, 4], [2, 4], [1, 4]];
    private static readonly byte[] s_record = [.. Of("192.0.2.12"), .. Of("192.0.2.254"), .. Of("192.0.2.1"), .. Four(5009), .. Four(5344385)];

    private readonly FlowDecoder _decoder = new();
    private readonly List<FlowRecord> _records = [];

    [Fact]
    public void The_example_of_RFC_7011_appendix_A_is_read()
    {
        Decode(Convert.FromHexString(
            "000A006C" + "3C1EF500" + "00000000" + "00000001" +
            "0002001C" + "01000005" + "00080004" + "000C0004" + "000F0004" + "00020004" + "00010004" +
            "01000040" +
            "C000020C" + "C00002FE" + "C0000201" + "00001391" + "00518C81" +
            "C000021B" + "C0000217" + "C0000202" + "000002EC" + "0005EF46" +
            "C0000238" + "C0000241" + "C0000203" + "00000005" + "00001986"));

        Assert.Equal(
            [("192.0.2.12", "192.0.2.254", 5009L, 5344385L), ("192.0.2.27", "192.0.2.23", 748, 388934), ("192.0.2.56", "192.0.2.65", 5, 6534)],
            _records.Select(r => (r.Source.ToString(), r.Destination.ToString(), r.Packets, r.Bytes)));
    }

    [Fact]
    public void NetFlow_v5_is_read_with_times_from_the_uptime_and_ICMP_from_its_port()
    {
        Decode(Five(
            3_600_000, Exported, 1, 0x4000 | 100,
            FiveRecord("10.0.0.1", "10.0.0.2", 40000, 502, 6, 0x1B, 12, 1200, 3_500_000, 3_599_000),
            FiveRecord("10.0.0.1", "10.0.0.2", 0, 0x0301, 1, 0, 2, 168, 3_590_000, 3_590_000)));

        Assert.Equal(
            new FlowRecord
            {
                Start = (Exported * Second) - (100 * Second),
                End = (Exported * Second) - Second,
                Source = Address("10.0.0.1"),
                Destination = Address("10.0.0.2"),
                EtherType = 0x0800,
                Protocol = 6,
                SourcePort = 40000,
                DestinationPort = 502,
                Packets = 12,
                Bytes = 1200,
                TcpFlags = 0x1B,
                Exporter = Address("192.0.2.200"),
                Sampling = 100,
            },
            _records[0]);
        Assert.Equal((1, 3, 1), (_records[1].Protocol, _records[1].SourcePort, _records[1].DestinationPort));
    }

    [Fact]
    public void An_uptime_that_began_anew_between_the_flow_and_its_export_is_no_trouble()
    {
        Decode(Five(5_000, Exported, 1, 0, FiveRecord("10.0.0.1", "10.0.0.2", 1, 2, 17, 0, 1, 100, uint.MaxValue - 4_999, 3_000)));

        Assert.Equal(((Exported - 10) * Second, (Exported - 2) * Second), (_records[0].Start, _records[0].End));
    }

    [Fact]
    public void NetFlow_v9_is_read_by_its_templates_without_padding_and_with_options_that_tell_the_sampling()
    {
        var options = (byte[])[.. Two(300), .. Two(4), .. Two(4), .. Two(1), .. Two(4), .. Two(34), .. Two(4)];
        Decode(Nine(
            60_000, Exported, 7, 3,
            Set(0, Template(260, [27, 16], [28, 16], [22, 4], [21, 4], [1, 4], [2, 4], [7, 2], [11, 2], [4, 1], [6, 1], [58, 2], [56, 6], [57, 6])),
            Set(1, options),
            Set(300, Four(0), Four(10)),
            Set(260, Of("2001:db8::1"), Of("2001:db8::2"), Four(30_000), Four(50_000), Four(999), Four(9), Two(5683), Two(40000), [17, 0], Two(12), [2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])));

        Assert.Equal(
            new FlowRecord
            {
                Start = (Exported - 30) * Second,
                End = (Exported - 10) * Second,
                Source = Address("2001:db8::1"),
                Destination = Address("2001:db8::2"),
                EtherType = 0x86DD,
                Protocol = 17,
                SourcePort = 5683,
                DestinationPort = 40000,
                Packets = 9,
                Bytes = 999,
                Vlan = 12,
                SourceMac = 0x020000000001,
                DestinationMac = 0x020000000002,
                Exporter = Address("192.0.2.200"),
                Sampling = 10,
            },
            Assert.Single(_records));
    }

    [Fact]
    public void IPFIX_with_enterprise_elements_variable_lengths_and_shortened_numbers_is_read()
    {
        Decode(Ipfix(
            Exported, 0, 1,
            Set(2, Template(400, [8, 4], [371, 0xFFFF], [12, 4], [100, 8, 9], [1, 3], [2, 1], [4, 1], [11, 2], [150, 4], [161, 4], [95, 0xFFFF])),
            Set(
                400,
                Of("10.1.0.1"), [3, 97, 98, 99], Of("10.1.0.2"), Eight(-1), [1, 0, 0], [200], [17], Two(47808), Four(Exported - 5), Four(2500), [255, 1, 0], new byte[256],
                Of("10.1.0.3"), [0], Of("10.1.0.4"), Eight(1), [0, 0, 9], [1], [17], Two(5353), Four(Exported - 4), Four(0), [0])));

        Assert.Equal([("10.1.0.1", "10.1.0.2", 47808, 200L, 65536L), ("10.1.0.3", "10.1.0.4", 5353, 1, 9)], _records.Select(r => (r.Source.ToString(), r.Destination.ToString(), r.DestinationPort, r.Packets, r.Bytes)));
        Assert.Equal(((Exported - 5) * Second, ((Exported - 5) * Second) + (2500 * 1_000_000L)), (_records[0].Start, _records[0].End));
        Assert.Equal(0, _decoder.Counts.Malformed);
    }

    [Fact]
    public void A_record_of_both_directions_has_both_and_begins_with_the_side_that_began()
    {
        var fields = (int[][])[[8, 4], [12, 4], [7, 2], [11, 2], [4, 1], [2, 8], [1, 8], [2, 8, 29305], [1, 8, 29305], [6, 1], [6, 1, 29305], [152, 8], [153, 8], [153, 8, 29305], [239, 1]];
        byte[] Record(byte direction) => [.. Of("10.0.0.1"), .. Of("10.0.0.2"), .. Two(40000), .. Two(443), 6, .. Eight(5), .. Eight(500), .. Eight(7), .. Eight(7000), 0x1B, 0x13, .. Eight(1000), .. Eight(2000), .. Eight(2500), direction];
        Decode(Ipfix(Exported, 0, 1, Set(2, Template(256, fields)), Set(256, Record(1), Record(2))));

        Assert.Equal(("10.0.0.1", 443, 5L, 500L, 7L, 7000L, 0x1B, 0x13), Summary(_records[0]));
        Assert.Equal(("10.0.0.2", 40000, 7L, 7000L, 5L, 500L, 0x13, 0x1B), Summary(_records[1]));
        Assert.Equal((Second, 2_500_000_000L), (_records[0].Start, _records[0].End));

        static (string, int, long, long, long?, long?, int, int) Summary(FlowRecord r) =>
            (r.Source.ToString(), r.DestinationPort, r.Packets, r.Bytes, r.ReversePackets, r.ReverseBytes, r.TcpFlags, r.ReverseTcpFlags);
    }

    [Theory]
    [InlineData(154, 3_600_500_000_000)]
    [InlineData(156, 3_600_500_000_000)]
    public void Times_in_the_format_of_NTP_are_read(int element, long expected)
    {
        Decode(Ipfix(Exported, 0, 1, Set(2, Template(256, [8, 4], [element, 8], [element + 1, 8])), Set(256, Of("10.0.0.1"), Four(2_208_988_800 + 3600), Four(0x8000_0000), Four(2_208_988_800 + 3601), Four(0))));

        Assert.Equal((expected, 3601 * Second), (_records[0].Start, _records[0].End));
    }

    [Fact]
    public void An_uptime_in_IPFIX_counts_from_the_begin_that_an_options_record_tells()
    {
        var boot = (Exported * 1000) - 100_000;
        Decode(Ipfix(Exported, 0, 1, Set(3, OptionsTemplate(257, 1, [143, 4], [160, 8])), Set(257, Four(1), Eight(boot))));
        Decode(Ipfix(Exported, 1, 1, Set(2, Template(256, [8, 4], [22, 4], [21, 4])), Set(256, Of("10.0.0.1"), Four(40_000), Four(60_000))));

        Assert.Equal(((Exported - 60) * Second, (Exported - 40) * Second), (_records[0].Start, _records[0].End));
    }

    [Fact]
    public void Data_before_its_template_is_counted_and_not_guessed()
    {
        Decode(Ipfix(Exported, 0, 1, Set(256, s_record)));
        Decode(Ipfix(Exported, 1, 1, Set(2, Template(256, s_plain))));
        Decode(Ipfix(Exported, 1, 1, Set(256, s_record)));

        Assert.Single(_records);
        Assert.Equal((1L, 0L), (_decoder.Counts.WithoutTemplate, _decoder.Counts.LostRecords));
    }

    [Fact]
    public void Domains_and_exporters_have_their_own_templates()
    {
        Decode(Ipfix(Exported, 0, 1, Set(2, Template(256, s_plain))));
        Decode(Ipfix(Exported, 0, 2, Set(2, Template(256, [12, 4], [8, 4], [15, 4], [1, 4], [2, 4]))));
        Decode(Ipfix(Exported, 0, 1, Set(256, s_record)));
        Decode(Ipfix(Exported, 0, 2, Set(256, s_record)));
        _decoder.Decode(Ipfix(Exported, 0, 1, Set(256, s_record)), Datagrams with { Port = 40001 }, 0, _records);

        Assert.Equal([("192.0.2.12", 5009L), ("192.0.2.254", 5344385)], _records.Select(r => (r.Source.ToString(), r.Packets)));
        Assert.Equal(1, _decoder.Counts.WithoutTemplate);
    }

    [Fact]
    public void A_withdrawn_template_holds_no_longer_in_a_stream_and_on_in_datagrams()
    {
        foreach (var source in (FlowSource[])[Connection, Datagrams])
        {
            _decoder.Decode(Ipfix(Exported, 0, 1, Set(2, Template(256, s_plain), Template(257, s_plain))), source, 0, _records);
            _decoder.Decode(Ipfix(Exported, 0, 1, Set(2, Two(256), Two(0))), source, 0, _records);
            _decoder.Decode(Ipfix(Exported, 0, 1, Set(256, s_record), Set(257, s_record)), source, 0, _records);
        }

        Assert.Equal(3, _records.Count);
        Assert.Equal(1, _decoder.Counts.WithoutTemplate);

        _decoder.Decode(Ipfix(Exported, 0, 1, Set(2, Two(2), Two(0))), Connection, 0, _records);
        _decoder.Decode(Ipfix(Exported, 0, 1, Set(257, s_record)), Connection, 0, _records);
        Assert.Equal(2, _decoder.Counts.WithoutTemplate);
    }

    [Fact]
    public void A_template_in_a_datagram_that_is_not_sent_again_expires_and_one_in_a_stream_does_not()
    {
        var later = new FlowDecoderLimits().TemplateLifetime.Ticks * 100 * 2;
        foreach (var source in (FlowSource[])[Connection, Datagrams])
        {
            _decoder.Decode(Ipfix(Exported, 0, 1, Set(2, Template(256, s_plain))), source, 0, _records);
            _decoder.Decode(Ipfix(Exported, 0, 1, Set(256, s_record)), source, later, _records);
        }

        Assert.Single(_records);
        Assert.Equal((1L, 1L), (_decoder.Counts.TemplatesExpired, _decoder.Counts.WithoutTemplate));
    }

    [Fact]
    public void What_is_missing_between_sequence_numbers_is_counted_as_lost_and_taken_back_when_it_comes_late()
    {
        Decode(Ipfix(Exported, uint.MaxValue - 1, 1, Set(2, Template(256, s_plain)), Set(256, s_record, s_record)));
        Decode(Ipfix(Exported, 0, 1, Set(256, s_record)));
        Assert.Equal(0, _decoder.Counts.LostRecords);

        Decode(Ipfix(Exported, 4, 1, Set(256, s_record)));
        Assert.Equal(3, _decoder.Counts.LostRecords);

        Decode(Ipfix(Exported, 1, 1, Set(256, s_record)));
        Assert.Equal((2L, 1L), (_decoder.Counts.LostRecords, _decoder.Counts.OutOfOrder));

        Decode(Nine(1, Exported, 5, 1));
        Decode(Nine(1, Exported, 9, 1));
        Assert.Equal(3, _decoder.Counts.LostMessages);

        Decode(Five(1, Exported, 100, 0, FiveRecord("10.0.0.1", "10.0.0.2", 1, 2, 17, 0, 1, 100, 0, 0)));
        Decode(Five(1, Exported, 111, 0, FiveRecord("10.0.0.1", "10.0.0.2", 1, 2, 17, 0, 1, 100, 0, 0)));
        Assert.Equal(2 + 10, _decoder.Counts.LostRecords);
    }

    [Fact]
    public void Numbers_that_count_the_message_itself_are_understood_and_a_loss_among_them_is_seen()
    {
        Decode(Ipfix(Exported, 3, 1, Set(2, Template(256, s_plain)), Set(256, s_record, s_record, s_record)));
        Decode(Ipfix(Exported, 4, 1, Set(256, s_record)));
        Decode(Ipfix(Exported, 5, 1, Set(256, s_record)));
        Decode(Ipfix(Exported, 7, 1, Set(256, s_record, s_record)));
        Decode(Ipfix(Exported, 9, 1, Set(256, s_record, s_record)));
        Decode(Ipfix(Exported, 10, 1, Set(256, s_record)));
        Assert.Equal((0L, 0L), (_decoder.Counts.LostRecords, _decoder.Counts.OutOfOrder));

        Decode(Ipfix(Exported, 110, 1, Set(256, s_record)));
        Assert.InRange(_decoder.Counts.LostRecords, 98, 100);
    }

    [Fact]
    public void An_exporter_that_begins_anew_loses_nothing()
    {
        Decode(Ipfix(Exported, 5_000_000, 1, Set(2, Template(256, s_plain)), Set(256, s_record)));
        Decode(Ipfix(Exported, 0, 1, Set(256, s_record)));
        Decode(Ipfix(Exported, 1, 1, Set(256, s_record)));

        Assert.Equal((0L, 0L), (_decoder.Counts.LostRecords, _decoder.Counts.OutOfOrder));
    }

    [Fact]
    public void Templates_and_exporters_are_bounded_and_the_one_silent_longest_is_forgotten()
    {
        var decoder = new FlowDecoder(new() { Domains = 2, TemplatesPerDomain = 2, FieldsPerTemplate = 5 });
        decoder.Decode(Ipfix(Exported, 0, 1, Set(2, Template(256, s_plain), Template(257, s_plain), Template(258, s_plain), Template(259, [.. s_plain, [4, 1]]))), Datagrams, 1, _records);
        Assert.Equal(2, decoder.Counts.TemplatesRefused);

        decoder.Decode(Ipfix(Exported, 0, 2), Datagrams, 2, _records);
        decoder.Decode(Ipfix(Exported, 0, 1), Datagrams, 3, _records);
        decoder.Decode(Ipfix(Exported, 0, 3), Datagrams, 4, _records);
        decoder.Decode(Ipfix(Exported, 0, 1, Set(257, s_record)), Datagrams, 5, _records);

        Assert.Equal((1L, 0L), (decoder.Counts.ExportersForgotten, decoder.Counts.WithoutTemplate));
        Assert.Single(_records);
    }

    [Fact]
    public void A_record_without_addresses_is_no_flow()
    {
        Decode(Ipfix(Exported, 0, 1, Set(2, Template(256, [2, 4], [1, 4])), Set(256, Four(1), Four(2))));

        Assert.Empty(_records);
        Assert.Equal(1, _decoder.Counts.OtherRecords);
    }

    [Fact]
    public void No_message_whatever_its_bytes_throws_or_gives_more_than_it_can_hold()
    {
        var random = Fuzz.Source(815);
        byte[][] seeds =
        [
            Five(3_600_000, Exported, 1, 0, FiveRecord("10.0.0.1", "10.0.0.2", 1, 2, 17, 0, 1, 100, 0, 0), FiveRecord("10.0.0.1", "10.0.0.2", 1, 2, 17, 0, 1, 100, 0, 0)),
            Nine(60_000, Exported, 7, 3, Set(0, Template(260, [27, 16], [28, 16], [22, 4], [21, 4], [1, 4], [58, 2], [56, 6])), Set(1, Two(300), Two(4), Two(4), Two(1), Two(4), Two(34), Two(4)), Set(260, new byte[104])),
            Ipfix(Exported, 0, 1, Set(2, Template(256, s_plain), Template(257, [8, 4], [371, 0xFFFF], [1, 3, 29305], [156, 8], [158, 4])), Set(256, s_record), Set(257, Of("10.0.0.1"), [2, 1, 1], new byte[15])),
            Ipfix(Exported, 0, 1, Set(3, OptionsTemplate(258, 1, [143, 4], [160, 8], [305, 4])), Set(258, new byte[16]), Set(2, Two(257), Two(0))),
        ];
        var rounds = Fuzz.Rounds(60_000);
        for (var round = 0; round < rounds; round++)
        {
            var seed = seeds[random.Next(seeds.Length)];
            var message = seed.AsSpan(0, random.Next(4) == 0 ? random.Next(seed.Length + 1) : seed.Length).ToArray();
            for (var change = random.Next(8); change > 0 && message.Length > 0; change--)
            {
                message[random.Next(message.Length)] = random.Next(3) == 0 ? (byte)255 : (byte)random.Next(256);
            }

            _records.Clear();
            _decoder.Decode(message, random.Next(2) == 0 ? Connection : Datagrams, round * Second, _records);
            Assert.True(_records.Count <= message.Length / 4);
            Assert.All(_records, r => Assert.True(r.Start >= 0 && r.End >= r.Start && r.Packets >= 0 && r.Bytes >= 0 && r.Sampling >= 1, r.ToString()));
        }

        Assert.Equal(rounds, _decoder.Counts.Messages);
        Assert.True(_decoder.Counts.Malformed > 1000 && _decoder.Counts.Records > 1000);
    }

    private void Decode(byte[] message) => _decoder.Decode(message, Datagrams, Exported * Second, _records);
}
