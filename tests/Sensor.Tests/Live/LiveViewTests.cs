using System.Globalization;
using Sekisho.Sensor.Live;
using Sekisho.Wire.Features;
using Spectre.Console;

namespace Sekisho.Sensor.Tests.Live;

public class LiveViewTests
{
    private static readonly long s_start = new DateTimeOffset(2026, 11, 27, 9, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    [Theory]
    [InlineData("en", "2026-11-27T09:00:10Z  3 packets/s  20.0 kbit/s  2 devices and 1 flows in the interval", "Devices", "Sensor: 1.5 % of a core, 40.0 MB, 7 frames dropped by the kernel, tables: flows 10 %, devices 2 %", "Mirror port?")]
    [InlineData("ja", "2026-11-27T09:00:10Z  3パケット/秒  20.0 kbit/s  この間隔にデバイス2台、フロー1本", "デバイス", "センサー: CPU 1.5 %(1コア比)、メモリー 40.0 MB、カーネルによる破棄 7フレーム、表の使用率: フロー 10 %、デバイス 2 %", "Mirror port?")]
    public void The_sensor_its_troubles_and_the_rates_of_each_device_are_drawn(string language, params string[] expected)
    {
        var text = Draw(new LiveView(language), Status([Device(1, sent: 12_500), Device(2, sent: 1_250)], trouble: ["Mirror port?"]));

        Assert.All(expected, part => Assert.Contains(part, text, StringComparison.Ordinal));
        var rows = text.Split('\n').Where(l => l.Contains("02:00:00:00:00:", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, rows.Count);
        Assert.Equal(["02:00:00:00:00:01", "10.0.0.1 +1", "10.0 kbit/s", "80 bit/s", "2", "3", "1", "mqtt", "09:00:09"], rows[0].Split('│', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("en", "No device was seen yet. Check that the mirror port copies the traffic")]
    [InlineData("ja", "まだデバイスが見つかりません。ミラーポートがデバイスの通信を")]
    public void Where_nothing_was_seen_yet_it_says_what_to_do(string language, string expected)
    {
        var text = Draw(new LiveView(language), Status([]));

        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.DoesNotContain("│", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_silent_stays_with_a_rate_of_nothing_below_those_that_speak()
    {
        var view = new LiveView("en");
        _ = Draw(view, Status([Device(1, sent: 12_500)]));

        var text = Draw(view, Status([Device(2, sent: 100)]));

        var rows = text.Split('\n').Where(l => l.Contains("02:00:00:00:00:", StringComparison.Ordinal)).ToList();
        Assert.Contains("02:00:00:00:00:02", rows[0], StringComparison.Ordinal);
        Assert.Equal(["02:00:00:00:00:01", "10.0.0.1 +1", "0 bit/s", "0 bit/s", "0", "–", "–"], rows[1].Split('│', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)[..7]);
    }

    [Theory]
    [InlineData("en", "5 of 8 devices are shown")]
    [InlineData("ja", "8台のうち5台を表示しています")]
    public void In_a_low_window_the_busiest_are_shown_and_it_says_that_there_are_more(string language, string expected)
    {
        var text = Draw(new LiveView(language), Status([.. Enumerable.Range(1, 8).Select(i => Device(i, sent: i * 1000))]), lines: 10);

        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.Contains("02:00:00:00:00:08", text, StringComparison.Ordinal);
        Assert.DoesNotContain("02:00:00:00:00:03", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en", "behind 02:00:00:00:00:09")]
    [InlineData("ja", "02:00:00:00:00:09の配下")]
    public void A_device_behind_a_router_is_named_by_the_router_and_its_address(string language, string expected)
    {
        var address = NetAddress.FromIPv4(0x0A01_0007);

        var text = Draw(new LiveView(language), Status([Device(9, sent: 1) with { BehindRouter = address, Addresses = [address] }]));

        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.Contains("10.1.0.7", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Uplink_share_and_what_waits_are_told_with_a_gateway()
    {
        var status = Status([Device(1, sent: 1)], uplink: 5_000);

        var text = Draw(new LiveView("en"), status with { Interval = status.Interval with { State = status.Interval.State with { Waiting = 3, ClockOffset = -12.4 } } });

        Assert.Contains("; uplink: 5.00 kB (0.5 % of what was seen), 3 intervals wait, clock offset -12 ms", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Invented_MACs_do_not_fill_the_memory()
    {
        var view = new LiveView("en");
        for (var interval = 0; interval < 20; interval++)
        {
            _ = Draw(view, Status([.. Enumerable.Range(interval * 1000, 1000).Select(i => Device(i, sent: 1) with { LastSeen = s_start + i })]));
        }

        var text = Draw(view, Status([Device(1, sent: 1)]));

        var known = int.Parse(text.Split(" devices are shown")[0].Split(' ')[^1], NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        Assert.InRange(known, 1000, 4097);
    }

    private static string Draw(LiveView view, LiveStatus status, int lines = 40)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 200;
        console.Profile.Capabilities.Unicode = true;
        console.Write(view.Draw(status, lines));
        return text.ToString();
    }

    private static LiveStatus Status(IReadOnlyList<DeviceFeatures> devices, IReadOnlyList<string>? trouble = null, long? uplink = null) => new(
        new IntervalFeatures(
            0,
            s_start,
            10_000,
            devices,
            [new FlowFeatures { ClientMac = 0x0200_0000_0001, ServerMac = 0x0200_0000_0002, EtherType = 0x0800, Service = "mqtt", FirstSeen = s_start, LastSeen = s_start, Up = Tally(10, 1_000), Down = Wire.Features.Tally.None }],
            new SensorState { Cpu = 0.015, Memory = 40_000_000, Packets = 30, Bytes = 25_000, KernelDrops = 7, FlowsHeld = 10, FlowsLimit = 100, DevicesHeld = 2, DevicesLimit = 100 }),
        Observed: 1_000_000,
        uplink,
        trouble ?? []);

    private static DeviceFeatures Device(int number, long sent) => new()
    {
        Mac = 0x0200_0000_0000 + (ulong)number,
        Addresses = [NetAddress.FromIPv4(0x0A00_0064), NetAddress.FromIPv4(0x0A00_0000 + (uint)number)],
        FirstSeen = s_start,
        LastSeen = s_start + 9_000,
        Sent = Tally(20, sent),
        Received = Tally(1, 100),
        PeersLocal = 2,
        PeersBeyond = 1,
        ConnectionsFailed = 1,
    };

    private static Tally Tally(long packets, long bytes) => new() { Packets = packets, Bytes = bytes, Sizes = new uint[8], Gaps = new uint[8] };
}
