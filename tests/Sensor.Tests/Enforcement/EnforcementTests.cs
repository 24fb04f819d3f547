using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Sekisho.Sensor.Enforcement;
using Sekisho.Tests.Support;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Tests.Enforcement;

/// <summary>The program enforces a gateway's orders in network namespaces, with the kernel's nftables.</summary>
public sealed class EnforcementTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_quarantined_device_reaches_the_update_server_only_and_talks_again_after_its_time_while_the_gateway_is_down(bool bridged)
    {
        await using var lab = await EnforcementLab.StartAsync(bridged);
        Assert.All((IPAddress[])[lab.Server, lab.Update, lab.Server6, lab.Update6], a => Assert.True(lab.Reaches(a), a.ToString()));
        using var standing = lab.Open(lab.Server);
        using var allowed = lab.Open(lab.Update);
        Assert.True(EnforcementLab.Echoes(standing!) && EnforcementLab.Echoes(allowed!));
        lab.Enforce();

        // Long enough for slow machines to see what is closed.
        var order = lab.Order(NetworkOrderKind.Quarantine, 1, TimeSpan.FromSeconds(25)) with
        {
            Macs = [lab.Mac],
            Addresses = [EnforcementLab.Address(lab.Device), EnforcementLab.Address(lab.Device6)],
            Reachable = [new NetworkService(EnforcementLab.Address(lab.Update), 6, EnforcementLab.Port), new NetworkService(EnforcementLab.Address(lab.Update6), 6, EnforcementLab.Port)],
        };
        Assert.Equal("applied", lab.Give(order));
        await lab.GatewayDownAsync();
        Assert.False(EnforcementLab.Echoes(standing!));
        Assert.All((IPAddress[])[lab.Server, lab.Server6], a => Assert.False(lab.Reaches(a), a.ToString()));
        Assert.All((IPAddress[])[lab.Update, lab.Update6], a => Assert.True(lab.Reaches(a), a.ToString()));
        Assert.True(EnforcementLab.Echoes(allowed!));
        Assert.True(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() < order.ExpiresAt, "The machine was too slow for this test to show anything.");

        lab.Talks(lab.Server);
        Assert.True(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() > order.ExpiresAt - 2000, "It ended before its time.");
        lab.Talks(lab.Server6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_block_outlives_the_enforcer_and_ends_by_the_kernels_clock(bool bridged)
    {
        await using var lab = await EnforcementLab.StartAsync(bridged);
        lab.Enforce();
        var order = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromSeconds(15)) with { Macs = [lab.Mac] };
        Assert.Equal("applied", lab.Give(order));
        lab.Kill();
        await lab.GatewayDownAsync();
        Assert.All((IPAddress[])[lab.Server, lab.Update6], a => Assert.False(lab.Reaches(a), a.ToString()));
        Assert.True(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() < order.ExpiresAt, "The machine was too slow for this test to show anything.");
        lab.Talks(lab.Server);
        lab.Talks(lab.Update6);
    }

    [Fact]
    public async Task A_block_by_address_ends_by_a_lift_and_the_connection_that_stood_goes_on()
    {
        await using var lab = await EnforcementLab.StartAsync();
        lab.Enforce();
        using var standing = lab.Open(lab.Server);
        Assert.True(EnforcementLab.Echoes(standing!));
        Assert.Equal("applied", lab.Give(lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Addresses = [EnforcementLab.Address(lab.Device)] }));
        Assert.False(EnforcementLab.Echoes(standing!));
        Assert.False(lab.Reaches(lab.Server));
        Assert.True(lab.Reaches(lab.Server6), "IPv6 was not ordered");
        Assert.Equal("applied", lab.Give(lab.Order(NetworkOrderKind.Block, 2, TimeSpan.FromHours(1), "l000000000000002") with { Addresses = [EnforcementLab.Address(lab.Device6), EnforcementLab.Address(lab.Device)] }));
        Assert.False(lab.Reaches(lab.Server6));

        // Two measures hold the IPv4 address; the end of one leaves it blocked.
        Assert.Equal("lifted", lab.Give(lab.Order(NetworkOrderKind.Lift, 3, TimeSpan.FromHours(1))));
        Assert.False(lab.Reaches(lab.Server));
        Assert.Equal("lifted", lab.Give(lab.Order(NetworkOrderKind.Lift, 4, TimeSpan.FromHours(1), "l000000000000002")));
        lab.Talks(lab.Server);
        lab.Talks(lab.Server6);
        Assert.True(EnforcementLab.Echoes(standing!, TimeSpan.FromSeconds(20)), "the connection does not go on");
    }

    [Fact]
    public async Task A_forged_repeated_expired_foreign_or_damaged_order_changes_nothing_and_is_told()
    {
        await using var lab = await EnforcementLab.StartAsync();
        lab.Enforce();
        var block = lab.Order(NetworkOrderKind.Block, 100, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] };
        Assert.Equal("applied", lab.Give(block));
        Assert.Equal("lifted", lab.Give(lab.Order(NetworkOrderKind.Lift, 101, TimeSpan.FromHours(1))));
        var before = lab.Nft("list", "ruleset");

        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var next = block with { Sequence = 102 };
        byte[] later = [.. lab.Signed(next)];
        later[1] = 2;
        Assert.Equal("refused wrong-signature", lab.Give(102, lab.Signed(next, other)));
        Assert.Equal("refused wrong-signature", lab.Give(102, later));
        Assert.Equal("refused damaged", lab.Give(102, [1, 2, 3]));
        Assert.Equal("refused repeated", lab.Give(block));
        Assert.Equal("refused repeated", lab.Give(block with { Sequence = 99 }));
        Assert.Equal("refused other-sensor", lab.Give(next with { SensorId = "s0123456789abcdf" }));
        Assert.Equal("refused expired", lab.Give(next with { IssuedAt = next.IssuedAt - 7_200_000, ExpiresAt = next.IssuedAt - 1 }));
        Assert.Equal("refused far-future", lab.Give(next with { IssuedAt = next.IssuedAt + 3_600_000, ExpiresAt = next.IssuedAt + 7_200_000 }));
        Assert.Equal(before, lab.Nft("list", "ruleset"));
        lab.Talks(lab.Server);
        Assert.Equal(8, lab.Sensor.Errors.Count(e => e.Contains("is not followed", StringComparison.Ordinal)));

        // Nor after a start: the number that was seen is on disk.
        lab.Kill();
        lab.Enforce();
        Assert.Equal("refused repeated", lab.Give(block));
        Assert.Equal("applied", lab.Give(next));
        Assert.False(lab.Reaches(lab.Server));
    }

    [Fact]
    public async Task Complaint16_The_enforcer_never_blocks_itself_its_gateway_or_a_protected_network()
    {
        await using var lab = await EnforcementLab.StartAsync();
        lab.Enforce("--protect", "10.9.1.0/28", "--protect", "fd09:2::/64");
        var own = lab.Path.Ip("-o", "link", "show", "dev", "r0").Split("link/ether ")[1].Split(' ')[0];
        var block = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1));
        var number = 0;
        foreach (var address in (string[])["10.9.2.1", "fd09:1::1", "10.9.1.2", "fd09:2::2"])
        {
            Assert.Equal("refused protected", lab.Give(block with { Sequence = ++number, Addresses = [EnforcementLab.Address(lab.Server), EnforcementLab.Address(IPAddress.Parse(address))] }));
        }

        Assert.Equal("refused protected", lab.Give(block with { Sequence = ++number, Macs = [Convert.ToUInt64(own.Replace(":", "", StringComparison.Ordinal), 16)] }));
        Assert.True(lab.Reaches(lab.Server));
        Assert.DoesNotContain("elements", lab.Nft("list", "table", "inet", "sekisho"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_router_of_IPv6_is_not_blocked_by_its_MAC_either()
    {
        await using var lab = await EnforcementLab.StartAsync();
        lab.Enforce();
        var block = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [0x0200_0000_0099UL], Addresses = [] };
        Assert.Equal("applied", lab.Give(block));
        Assert.Equal("lifted", lab.Give(lab.Order(NetworkOrderKind.Lift, 2, TimeSpan.FromHours(1))));

        lab.Path.Ip("-6", "route", "add", "default", "via", "fe80::99", "dev", "r0");
        lab.Path.Ip("-6", "neigh", "replace", "fe80::99", "lladdr", "02:00:00:00:00:99", "dev", "r0", "nud", "permanent");
        Assert.Equal("refused protected", lab.Give(block with { Sequence = 3 }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_device_that_claims_the_address_of_the_router_or_of_a_protected_network_is_blocked_and_stays_blocked(bool bridged)
    {
        await using var lab = await EnforcementLab.StartAsync(bridged);

        // The server is the enforcer's router, and known as such at its start.
        if (bridged)
        {
            lab.Path.Ip("address", "add", "10.9.1.1/24", "dev", "br0");
        }

        lab.Path.Ip("route", "add", "default", "via", lab.Server.ToString());
        lab.Path.Inside(() =>
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(lab.Server, EnforcedNetwork.Port);
        });
        lab.Enforce("--protect", "10.9.3.0/24");
        lab.Claim(lab.Server.ToString());
        lab.Claim("10.9.3.7");
        var block = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] };
        Assert.Equal("applied", lab.Give(block));
        Assert.False(lab.Reaches(lab.Update));
        if (!bridged)
        {
            // A bridge drops what a blocked device claims.
            lab.Path.Ip("neigh", "flush", "dev", "r0");
            lab.Path.Ip("neigh", "flush", "dev", "w0");
            lab.Claim(lab.Server.ToString());
            lab.Claim("10.9.3.7");
        }

        // With each order it looks anew who is protected.
        Assert.Equal("applied", lab.Give(block with { Sequence = 2, Measure = "l000000000000002", Macs = [0x0200_0000_0099UL] }));
        Assert.False(lab.Reaches(lab.Update));
        Assert.DoesNotContain(lab.Sensor.Errors, e => e.Contains("not enforced any more", StringComparison.Ordinal));

        // Nor does it become a router whom nobody knew before: here after a start.
        lab.Kill();
        lab.Path.Ip("route", "replace", "default", "via", lab.Device.ToString());
        lab.Path.Ip("neigh", "replace", lab.Device.ToString(), "lladdr", lab.DeviceMac, "dev", bridged ? "br0" : "r0", "nud", "permanent");
        lab.Enforce();
        Assert.Equal("applied", lab.Give(block with { Sequence = 3 }));
        Assert.False(lab.Reaches(lab.Update));
    }

    [Fact]
    public async Task An_order_in_force_that_would_touch_the_enforcer_by_now_ends_and_the_gateway_is_told()
    {
        await using var lab = await EnforcementLab.StartAsync();
        lab.Enforce();
        var block = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac], Addresses = [EnforcementLab.Address(IPAddress.Parse("10.9.1.77"))] };
        Assert.Equal("applied", lab.Give(block));
        lab.Path.Ip("address", "add", "10.9.1.77/32", "dev", "r0");
        Assert.Equal("applied", lab.Give(block with { Sequence = 2, Measure = "l000000000000002", Addresses = [], Macs = [0x0200_0000_0099UL] }));
        lab.Sensor.Until(() => lab.Answers[1] == "refused protected", "the gateway is not told");
        lab.Talks(lab.Server);
        Assert.Contains(lab.Sensor.Errors, e => e.Contains("not enforced any more", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_quarantined_device_gets_an_address_and_talks_to_nobody_else_in_the_words_of_DHCP_or_neighbour_discovery(bool bridged)
    {
        await using var lab = await EnforcementLab.StartAsync(bridged);
        using var server = lab.ServerSide.Inside(() => Bound(IPAddress.Any, 67));
        using var server6 = lab.ServerSide.Inside(() => Bound(IPAddress.IPv6Any, 547));
        using var pings = lab.ServerSide.Inside(() => new Socket(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6));
        using var router = lab.Path.Inside(() => Bound(IPAddress.Any, 67));
        using var device = lab.DeviceSide.Inside(() => Bound(IPAddress.Any, 68));
        using var device6 = lab.DeviceSide.Inside(() => Bound(IPAddress.IPv6Any, 546));
        using var raw = lab.DeviceSide.Inside(() => new Socket(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6));
        device.EnableBroadcast = true;

        // A broadcast has no route; a solicitation comes from a neighbour only with this hop limit.
        device.SetRawSocketOption(1, 25, "d0"u8);
        raw.SetRawSocketOption(41, 16, BitConverter.GetBytes(255));
        byte[] solicitation = [135, 0, 0, 0, 0, 0, 0, 0, .. lab.Server6.GetAddressBytes(), 0x53, 0x45, 0x4B, 0x49];
        void Tell(byte what)
        {
            device.SendTo([what], new IPEndPoint(lab.Server, 67));
            device6.SendTo([what], new IPEndPoint(lab.Server6, 547));
            raw.SendTo(solicitation, new IPEndPoint(lab.Server6, 0));
        }

        Tell(1);
        Assert.Equal((1, 1), (Next(server), Next(server6)));
        Until(() => Take(pings, solicitation), "the solicitation does not arrive");

        lab.Enforce();
        Assert.Equal("applied", lab.Give(lab.Order(NetworkOrderKind.Quarantine, 1, TimeSpan.FromHours(1)) with
        {
            Macs = [lab.Mac],
            Addresses = [EnforcementLab.Address(lab.Device), EnforcementLab.Address(lab.Device6)],
            Reachable = [new NetworkService(EnforcementLab.Address(lab.Update), 6, EnforcementLab.Port), new NetworkService(EnforcementLab.Address(lab.Update6), 6, EnforcementLab.Port)],
        }));
        Tell(2);
        device.SendTo([3], new IPEndPoint(IPAddress.Broadcast, 67));
        Assert.Equal(3, Next(bridged ? server : router));

        // Both ways of an echo, with neighbours that have to be found first, come after what was told.
        lab.DeviceSide.Ip("neigh", "flush", "dev", "d0");
        lab.ServerSide.Ip("neigh", "flush", "dev", "s0");
        lab.Talks(lab.Update);
        lab.Talks(lab.Update6);
        Assert.Equal((0, 0), (server.Available, server6.Available));
        Assert.False(Take(pings, solicitation), "the solicitation arrives");

        // What a server answers reaches the device, and the device answers nobody as a server.
        if (bridged)
        {
            server.SendTo([4], new IPEndPoint(lab.Device, 68));
            Assert.Equal(4, Next(device));
            using var posing = lab.DeviceSide.Inside(() => Bound(IPAddress.Any, 67));
            using var client = lab.ServerSide.Inside(() => Bound(IPAddress.Any, 68));
            posing.SendTo([5], new IPEndPoint(lab.Server, 68));
            lab.Talks(lab.Update);
            Assert.Equal(0, client.Available);
        }

        static Socket Bound(IPAddress address, int port)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }

        static int Next(Socket socket)
        {
            var received = new byte[16];
            Assert.Equal(1, socket.Receive(received));
            return received[0];
        }

        // Among what else neighbours tell each other.
        static bool Take(Socket socket, byte[] wanted)
        {
            var received = new byte[1500];
            while (socket.Available > 0)
            {
                var length = socket.Receive(received);
                if (received.AsSpan(0, length).EndsWith(wanted.AsSpan(8)))
                {
                    return true;
                }
            }

            return false;
        }

        static void Until(Func<bool> holds, string otherwise) => EnforcedNetwork.Until(holds, TimeSpan.FromSeconds(30), otherwise);
    }

    [Fact]
    public async Task Rules_of_an_earlier_version_are_replaced_and_what_they_held_stays()
    {
        await using var lab = await EnforcementLab.StartAsync();
        lab.Enforce();
        Assert.Equal("applied", lab.Give(lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] }));
        lab.Kill();

        // As many rules as there should be, of which one lets everything through.
        lab.Nft("insert", "rule", "inet", "sekisho", "blocked", "accept");
        var last = lab.Nft("-a", "list", "chain", "inet", "sekisho", "blocked").Split("# handle ")[^1].Split('\n')[0];
        lab.Nft("delete", "rule", "inet", "sekisho", "blocked", "handle", last);
        lab.Talks(lab.Server);
        lab.Enforce();
        Assert.False(lab.Reaches(lab.Server));
    }

    [Fact]
    public async Task At_its_start_it_puts_right_what_is_in_the_kernel_and_touches_no_rule_of_others()
    {
        await using var lab = await EnforcementLab.StartAsync();
        lab.Nft("add", "table", "inet", "site");
        lab.Nft("add", "set", "inet", "site", "mine", "{ type ipv4_addr; elements = { 192.0.2.1 } }");
        lab.Enforce();
        Assert.Equal("applied", lab.Give(lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] }));
        Assert.False(lab.Reaches(lab.Server));
        await lab.GatheredAsync();
        lab.Kill();
        await lab.GatewayDownAsync();

        // As after a new start of the machine: the orders on disk come into force without the gateway.
        lab.Nft("delete", "table", "inet", "sekisho");
        lab.Talks(lab.Server);
        lab.Enforce();
        Assert.False(lab.Reaches(lab.Server));
        lab.Kill();

        // What no signed order stands for goes, whoever put it there; what lacks comes back.
        lab.Nft("add", "element", "inet", "sekisho", "blocked4", "{ 10.9.2.99 timeout 1h }");
        lab.Nft("add", "element", "inet", "sekisho", "reach4", "{ 10.9.1.2 . 10.9.2.2 . tcp . 7000 timeout 1h }");
        lab.Nft("delete", "element", "inet", "sekisho", "blocked_mac", $"{{ {lab.DeviceMac} }}");
        lab.Nft("flush", "chain", "inet", "sekisho", "forward");
        lab.Talks(lab.Server);
        lab.Enforce();
        Assert.False(lab.Reaches(lab.Server));
        Assert.DoesNotContain("10.9.2", lab.Nft("list", "table", "inet", "sekisho"), StringComparison.Ordinal);
        Assert.Contains("192.0.2.1", lab.Nft("list", "table", "inet", "site"), StringComparison.Ordinal);

        // An order of which the file was changed is none.
        lab.Kill();
        var file = Path.Combine(lab.Folder, "orders.json");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var text = await File.ReadAllTextAsync(file);
        var at = text.IndexOf("TwEB", StringComparison.Ordinal);
        Assert.True(at > 0);
        await File.WriteAllTextAsync(file, text[..at] + "TwEC" + text[(at + 4)..]);
        lab.Lasts.Clear();
        lab.Enforce();

        // What it stood for may stand still: the gateway is asked, and knows of nothing.
        Assert.False(lab.Reaches(lab.Server));
        await lab.GatewayUpAsync();
        lab.Talks(lab.Server);
        Assert.Equal(0, lab.Lasts.First());

        // The answer to the first may still have been on its way; that to the second is new.
        var again = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] };
        lab.Give(again);
        Assert.Equal("refused repeated", lab.Give(again));
    }

    [Fact]
    public async Task A_block_stands_after_a_start_with_a_clock_that_is_behind_and_when_the_clock_is_right_again()
    {
        await using var lab = await EnforcementLab.StartAsync(here: true);
        var clock = new ShiftedClock();
        await lab.EnforceHereAsync(clock);
        var block = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] };
        Assert.Equal("applied", await lab.GiveHereAsync(block));
        Assert.False(lab.Reaches(lab.Server));
        await lab.GatheredAsync();
        await lab.EndHereAsync();
        await lab.GatewayDownAsync();

        clock.Ahead = TimeSpan.FromMinutes(-10);
        await lab.EnforceHereAsync(clock);
        Assert.False(lab.Reaches(lab.Server));
        Assert.InRange(lab.Elements()[new SetElement("blocked_mac", lab.DeviceMac)], 1, 3600);

        clock.Ahead = TimeSpan.Zero;
        lab.Lasts.Clear();
        await lab.GatewayUpAsync();
        Assert.Equal("applied", await lab.GiveHereAsync(block with { Sequence = 2, Measure = "l000000000000002", Macs = [0x0200_0000_0099UL] }));
        Assert.False(lab.Reaches(lab.Server));

        // Nothing was lost, so nothing is asked for anew.
        Assert.DoesNotContain(0L, lab.Lasts);
    }

    [Theory]
    [InlineData(12)]
    [InlineData(-12)]
    public async Task With_a_clock_that_is_wrong_orders_keep_the_gateways_time_and_it_is_said(int hours)
    {
        await using var lab = await EnforcementLab.StartAsync(here: true);
        var clock = new ShiftedClock();
        await lab.EnforceHereAsync(clock);
        var block = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] };
        Assert.Equal("applied", await lab.GiveHereAsync(block));
        Assert.Null(lab.Enforcer!.ClockOff);

        // Started anew with another clock it takes that one's word for nothing, and follows what the gateway ends.
        await lab.EndHereAsync();
        clock.Ahead = TimeSpan.FromHours(hours);
        await lab.EnforceHereAsync(clock);
        Assert.False(lab.Reaches(lab.Server));
        var other = block with { Sequence = 2, Measure = "l000000000000002", Macs = [0x0200_0000_0099UL] };
        Assert.Equal("applied", await lab.GiveHereAsync(other));
        Assert.All(lab.Elements(), e => Assert.InRange(e.Value, 3000, 3600));
        Assert.Equal(2, lab.Elements().Count);
        Assert.False(lab.Reaches(lab.Server));
        Assert.Contains("enforce.clock", lab.Told);
        Assert.Equal(hours, (int)Math.Round(lab.Enforcer.ClockOff!.Value.TotalHours));
        Assert.Equal("lifted", await lab.GiveHereAsync(lab.Order(NetworkOrderKind.Lift, 3, TimeSpan.FromHours(1))));
        lab.Talks(lab.Server);

        clock.Ahead = TimeSpan.Zero;
        await Until.TrueAsync(() => lab.Enforcer.ClockOff is null, "the clock is not compared");
        Assert.Equal("applied", await lab.GiveHereAsync(block with { Sequence = 4 }));
        Assert.InRange(lab.Elements()[new SetElement("blocked_mac", lab.DeviceMac)], 3000, 3600);
        Assert.False(lab.Reaches(lab.Server));
    }

    [Fact]
    public async Task A_sensor_that_is_enrolled_anew_leaves_what_is_blocked_until_the_gateway_has_ordered_it_anew()
    {
        await using var lab = await EnforcementLab.StartAsync();
        lab.Enforce();
        var block = lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] };
        Assert.Equal("applied", lab.Give(block));
        Assert.Equal("applied", lab.Give(block with { Sequence = 2, Measure = "l000000000000002", Macs = [0x0200_0000_0099UL] }));
        lab.Kill();
        await lab.GatewayDownAsync();
        lab.EnrolAnew();
        lab.Lasts.Clear();
        lab.Enforce();
        Assert.False(lab.Reaches(lab.Server));

        // As a gateway does that hears of a number below what it gave; one of the two it has lifted since.
        await lab.GatewayUpAsync();
        Assert.Equal("applied", lab.Give(block with { Sequence = 3 }));
        Assert.Equal(0, lab.Lasts.First());
        Assert.Equal(3, lab.Lasts.Last());
        Assert.False(lab.Reaches(lab.Server));
        Assert.Equal("lifted", lab.Give(lab.Order(NetworkOrderKind.Lift, 4, TimeSpan.FromHours(1))));
        lab.Talks(lab.Server);
        lab.Sensor.Until(() => lab.Elements().Count == 0, "what nobody ordered anew stays");
    }

    [Fact]
    public async Task A_gateway_that_names_another_order_key_later_orders_nothing()
    {
        await using var lab = await EnforcementLab.StartAsync();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(Path.Combine(lab.Folder, "order-key.pem"), other.ExportSubjectPublicKeyInfoPem());
        lab.Enforce();
        Assert.Equal("refused wrong-signature", lab.Give(lab.Order(NetworkOrderKind.Block, 1, TimeSpan.FromHours(1)) with { Macs = [lab.Mac] }));
        Assert.True(lab.Reaches(lab.Server));
    }
}
