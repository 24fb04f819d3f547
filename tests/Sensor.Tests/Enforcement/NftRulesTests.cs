using System.Net;
using System.Text.Json;
using Sekisho.Sensor.Enforcement;
using Sekisho.Tests.Support;
using Sekisho.Wire.Features;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Tests.Enforcement;

public class NftRulesTests
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.FromUnixTimeMilliseconds(1_795_752_000_000);
    private const string List = """
        {"nftables":[{"metainfo":{}},{"table":{"family":"inet","name":"sekisho"}},
        {"set":{"name":"blocked4","elem":[{"elem":{"val":"192.0.2.7","timeout":100,"expires":99}},"192.0.2.9"]}},
        {"set":{"name":"reach6","elem":[{"elem":{"val":{"concat":["2001:DB8::7","2001:db8:0::8","tcp",443]},"timeout":100,"expires":7}}]}},
        {"set":{"name":"blocked6"}},{"rule":{"expr":[],"comment":"m"}},{"rule":{}}]}
        """;

    [Fact]
    public void A_list_is_read_in_one_form_and_what_has_no_time_is_never_as_it_should_be()
    {
        var state = NftRules.Read(List);
        Assert.Equal(["m", ""], state.Marks);
        Assert.Equal(99, state.Elements[new SetElement("blocked4", "192.0.2.7")]);
        Assert.Equal(7, state.Elements[new SetElement("reach6", "2001:db8::7 2001:db8::8 6 443")]);
        Assert.True(state.Elements[new SetElement("blocked4", "192.0.2.9")] > NftRules.LongestSeconds);
    }

    [Theory]
    [InlineData("inet")]
    [InlineData("bridge")]
    public void Rules_of_another_version_are_not_taken_for_those_of_this_one(string family)
    {
        using var transaction = JsonDocument.Parse(NftRules.Transaction(family, setUp: true, new Dictionary<SetElement, long>(), new Dictionary<SetElement, DateTimeOffset>(), s_now));
        var rules = transaction.RootElement.GetProperty("nftables").EnumerateArray().Where(c => c.TryGetProperty("add", out var added) && added.TryGetProperty("rule", out _))
            .Select(c => c.GetProperty("add").GetProperty("rule").GetProperty("comment").GetString()!).ToList();
        var none = new Dictionary<SetElement, long>();
        Assert.True(NftRules.IsSetUp(family, new NftState(rules, none)));
        Assert.False(NftRules.IsSetUp(family, new NftState(rules[1..], none)));
        Assert.False(NftRules.IsSetUp(family, new NftState([.. rules[1..], ""], none)));
        Assert.False(NftRules.IsSetUp(family, new NftState([.. rules.Select(_ => "0000000000000000")], none)));
        Assert.False(NftRules.IsSetUp(family == "inet" ? "bridge" : "inet", new NftState(rules, none)));
    }

    [Fact]
    public void Only_what_differs_is_changed_and_no_time_is_longer_than_seven_days()
    {
        var (kept, refreshed, gone, added) = (new SetElement("blocked4", "192.0.2.1"), new SetElement("blocked4", "192.0.2.2"), new SetElement("blocked_mac", "02:00:00:00:00:01"), new SetElement("reach4", "192.0.2.1 198.51.100.1 6 443"));
        var current = new Dictionary<SetElement, long> { [kept] = 99, [refreshed] = 10, [gone] = 50 };
        var wanted = new Dictionary<SetElement, DateTimeOffset> { [kept] = s_now.AddSeconds(100), [refreshed] = s_now.AddSeconds(100), [added] = s_now.AddDays(30) };
        using var transaction = JsonDocument.Parse(NftRules.Transaction("inet", setUp: false, current, wanted, s_now));
        var commands = transaction.RootElement.GetProperty("nftables").EnumerateArray().Select(c => c.GetRawText()).ToList();
        Assert.Equal(8, commands.Count);
        Assert.DoesNotContain(commands, c => c.Contains("192.0.2.1\"", StringComparison.Ordinal) && !c.Contains("reach4", StringComparison.Ordinal));
        Assert.Contains(commands, c => c.Contains("""{"concat":["192.0.2.1","198.51.100.1",6,443]},"timeout":604800""", StringComparison.Ordinal));
        Assert.Equal("", NftRules.Transaction("inet", setUp: false, new Dictionary<SetElement, long> { [kept] = 99 }, new Dictionary<SetElement, DateTimeOffset> { [kept] = s_now.AddSeconds(100) }, s_now));
    }

    [Fact]
    public void An_element_that_two_orders_ask_for_stays_until_the_later_end()
    {
        var order = new NetworkOrder
        {
            SensorId = "s",
            Measure = "l",
            Sequence = 1,
            Kind = NetworkOrderKind.Quarantine,
            IssuedAt = 0,
            ExpiresAt = 5000,
            Macs = [0x0200_0000_0001],
            Addresses = [NetAddress.FromIPv4(0xC000_0207)],
            Reachable = [new NetworkService(NetAddress.FromIPv4(0xC633_6401), 17, 53)],
        };
        var wanted = SetElement.Wanted([order, order with { ExpiresAt = 9000, Reachable = [] }, order with { ExpiresAt = 1000, Kind = NetworkOrderKind.Block, Reachable = [] }], DateTimeOffset.UnixEpoch);
        Assert.Equal(
            ["blocked4 192.0.2.7 1", "blocked_mac 02:00:00:00:00:01 1", "quarantined4 192.0.2.7 9", "quarantined_mac 02:00:00:00:00:01 9", "reach4 192.0.2.7 198.51.100.1 17 53 5", "reach_mac4 02:00:00:00:00:01 198.51.100.1 17 53 5"],
            wanted.Select(w => $"{w.Key.Set} {w.Key.Key} {w.Value.ToUnixTimeSeconds()}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Nothing_is_wanted_for_longer_than_its_order_was_made_for_by_a_clock_that_is_behind()
    {
        var order = new NetworkOrder { SensorId = "s", Measure = "l", Sequence = 1, Kind = NetworkOrderKind.Block, IssuedAt = 600_000, ExpiresAt = 605_000, Macs = [0x0200_0000_0001] };
        Assert.Equal(5000, SetElement.Wanted([order], DateTimeOffset.UnixEpoch).Values.Single().ToUnixTimeMilliseconds());
        Assert.Equal(605_000, SetElement.Wanted([order], DateTimeOffset.FromUnixTimeMilliseconds(601_000)).Values.Single().ToUnixTimeMilliseconds());
    }

    [Fact]
    public void Whatever_nft_prints_only_one_kind_of_fault_comes_of_it()
    {
        var random = Fuzz.Source(53);
        for (var round = 0; round < Fuzz.Rounds(3000); round++)
        {
            var text = List.ToCharArray();
            for (var i = random.Next(1, 5); i > 0; i--)
            {
                text[random.Next(text.Length)] = "{}[]\":,0a-"[random.Next(10)];
            }

            try
            {
                NftRules.Read(new string(text));
            }
            catch (JsonException)
            {
                // As it says.
            }
        }
    }

    [Fact]
    public void Neighbours_and_routers_are_read_from_the_kernels_tables_and_anything_else_is_passed_over()
    {
        string[] arp = ["IP address HW type Flags HW address Mask Device", "10.9.1.2         0x1         0x2         02:00:00:00:00:01     *        r0", "10.9.1.3 0x1 0x0 00:00:00:00:00:00 * r0", "nonsense", "1 2 3 4"];
        Assert.Equal([new Neighbour(IPAddress.Parse("10.9.1.2"), 0x0200_0000_0001, "r0")], ProtectedHosts.Neighbours(arp));
        string[] routes =
        [
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
            "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
            "eth1\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
            "eth0\tx\tzzzzzzzz", "eth0\tx\t0100A8C0\t0003\t0\t0\t0\t00000000",
        ];
        var read = ProtectedHosts.Routes(routes).ToList();
        Assert.Equal([new Route(IPNetwork.Parse("0.0.0.0/0"), IPAddress.Parse("192.168.0.1"), "eth0"), new Route(IPNetwork.Parse("192.168.0.0/24"), null, "eth1")], read);
        string[] routes6 =
        [
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0",
            "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth1",
            "nonsense", "0 0 0 0 zz800000000000000000000000000001", "", "fe80 40 0 00 00000000000000000000000000000000 0 0 0 0 eth1",
        ];
        var read6 = ProtectedHosts.Routes6(routes6).ToList();
        Assert.Equal([new Route(IPNetwork.Parse("::/0"), IPAddress.Parse("fe80::1"), "eth0"), new Route(IPNetwork.Parse("fe80::/64"), null, "eth1")], read6);

        // Whatever stands there, it is read or passed over.
        var random = Fuzz.Source(5107);
        for (var round = Fuzz.Rounds(5_000); round > 0; round--)
        {
            string[] damaged = [.. ((string[])[routes[1], routes[2], routes6[0], routes6[1]]).Select(line =>
            {
                var text = line.ToCharArray();
                text[random.Next(text.Length)] = "0fF\t -\u0000z"[random.Next(8)];
                return new string(text, 0, random.Next(text.Length + 1));
            })];
            Assert.All(ProtectedHosts.Routes(["", .. damaged]), r => Assert.InRange(r.To.PrefixLength, 0, 32));
            Assert.All(ProtectedHosts.Routes6(damaged), r => Assert.InRange(r.To.PrefixLength, 0, 128));
        }

        // The narrower route is the way.
        List<Route> all = [.. read, .. read6];
        Assert.Equal([read[1], read[0], read6[1], read6[0]], ((string[])["192.168.0.9", "192.0.2.1", "fe80::9", "2001:db8::1"]).Select(a => ProtectedHosts.Way(all, IPAddress.Parse(a))!.Value));
        Assert.Null(ProtectedHosts.Way(read6, IPAddress.Parse("192.0.2.1")));
    }

    [Fact]
    public void The_kernels_answer_about_neighbours_is_read_and_a_damaged_one_ends_the_reading()
    {
        byte[] answer =
        [
            // A neighbour with address and MAC; one of IPv4; one without a MAC; the end.
            60, 0, 0, 0, 28, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 2, 0, 128, 1, 20, 0, 1, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 10, 0, 2, 0, 2, 0, 0, 0, 0, 9, 0, 0,
            28, 0, 0, 0, 28, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 1,
            48, 0, 0, 0, 28, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 1, 20, 0, 1, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
            20, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        List<(IPAddress, ulong, int)> found = [];
        Assert.True(NeighbourTable.Read(answer, found));
        Assert.Equal([(IPAddress.Parse("fe80::1"), 0x0200_0000_0009UL, 2)], found);
        Assert.False(NeighbourTable.Read(answer.AsSpan(0, 60), []));

        var random = Fuzz.Source(5105);
        for (var round = Fuzz.Rounds(5_000); round > 0; round--)
        {
            var damaged = answer.ToArray();
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            List<(IPAddress Address, ulong Mac, int Interface)> read = [];
            NeighbourTable.Read(damaged.AsSpan(0, random.Next(damaged.Length + 1)), read);
            Assert.All(read, r => Assert.InRange(r.Mac, 1UL, 0xFFFF_FFFF_FFFFUL));
        }
    }
}
