using System.Text.Json.Nodes;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Tests.Capture;

namespace Sekisho.Sensor.Tests.Live;

/// <summary><c>sensor --interface</c> as a process on interfaces of a network namespace; as root.</summary>
public sealed class LiveTests : IDisposable
{
    private readonly NetworkLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("3")]
    public void What_is_sent_is_told_to_the_last_frame_by_one_reader_and_by_several(string readers)
    {
        byte[][] frames = [.. Enumerable.Range(0, 4000).Select(i => (i % 5) switch
        {
            0 => Packets.Arp(1 + (i % 100), 200),
            1 => Packets.Tcp(1 + (i % 100), 150, (ushort)(40_000 + (i % 300)), 443, i < 1000 ? Packets.Syn : Packets.Push, payload: i % 1400),
            _ => Packets.Udp(1 + (i % 100), 120 + (i % 7), (ushort)(30_000 + (i % 50)), 47_808, payload: i % 1400),
        })];
        using var sensor = new WatchingSensor(_lab, "--interface", "b", "--readers", readers);

        Send(frames);
        sensor.UntilPackets(1);
        var told = sensor.End();

        Assert.Equal((frames.Length, frames.Sum(f => f.Length), 0, 0), (told.Packets, told.Bytes, told.Drops, told.Odd));
        Assert.Equal(told.Packets, told.Flows.Values.Sum(f => f.Packets + f.PacketsBack));
        Assert.Equal(told.Bytes, told.Flows.Values.Sum(f => f.Bytes + f.BytesBack));
        var sent = frames.GroupBy(f => Packets.Mac(f[11])).ToDictionary(g => g.Key, g => (g.Count(), g.Sum(f => f.Length)));
        Assert.Equal(sent.OrderBy(s => s.Key), told.Devices.Where(d => d.Value.Packets > 0).ToDictionary(d => d.Key, d => ((int)d.Value.Packets, (int)d.Value.Bytes)).OrderBy(s => s.Key));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_came_just_before_it_is_told_to_end_is_in_the_last_interval(bool byServiceManager)
    {
        using var sensor = new WatchingSensor(_lab, "--interface", "b", "--interval", "600");

        Send(Enumerable.Repeat(Packets.Udp(1, 2, 5000, 5001, payload: 10), 500));
        if (byServiceManager)
        {
            sensor.Process.Terminate();
        }
        else
        {
            sensor.Process.Stop();
        }

        Assert.Equal(0, sensor.Process.Ended());
        Assert.Equal((500, 500 * 52), (sensor.Told.Packets, sensor.Told.Bytes));
    }

    [Theory]
    [InlineData("en", "Waiting for the first interval", "No device was seen yet", "Devices", "packets/s")]
    [InlineData("ja", "最初の集計を待っています", "まだデバイスが見つかりません", "デバイス", "パケット/秒")]
    public void On_a_terminal_a_screen_shows_what_to_do_and_then_the_devices_and_Ctrl_C_ends_it(string language, string waiting, string nothing, params string[] shown)
    {
        using var sensor = SensorProcess.StartOnTerminal(_lab.Name, "--interface", "b", "--interval", "1", "--language", language);
        bool Drawn(string text) => sensor.Output.Any(l => l.Contains(text, StringComparison.Ordinal));

        sensor.Until(() => Drawn(nothing), "nothing is drawn");
        Assert.True(Drawn(waiting));
        Send(Enumerable.Repeat(Packets.Udp(1, 2, 5000, 502, payload: 10), 500));
        sensor.Until(() => Drawn(Packets.Mac(1)), "the device is not drawn");
        Assert.All(shown, text => Assert.True(Drawn(text), text));
        Assert.True(Drawn("10.0.0.1") && Drawn("modbus"));
        sensor.Type("\u0003");

        Assert.Equal(0, sensor.Ended());
    }

    [Fact]
    public void A_mirror_port_without_traffic_is_an_alarm_until_a_frame_comes()
    {
        using var sensor = new WatchingSensor(_lab, "--interface", "b", "--quiet-after", "1");

        sensor.WaitFor("b: no frame for 1 seconds. Check the mirror port of the switch and the cable.");
        sensor.Process.Until(() => sensor.Process.Output is [.., var last] && Troubles(last).Count == 1, "the interval does not tell it");
        Send([Packets.Udp(1, 2, 5000, 5001, payload: 10)]);
        sensor.WaitFor("b is in order again.");

        Assert.Equal(1, sensor.End().Packets);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void An_interface_that_goes_down_and_away_is_told_and_read_on_when_it_is_back(string readers)
    {
        var frame = Packets.Udp(1, 2, 5000, 5001, payload: 10);
        using var sensor = new WatchingSensor(_lab, "--interface", "b", "--readers", readers);
        Send([frame]);
        sensor.UntilPackets(1);

        _lab.Ip("link", "set", "dev", "b", "down");
        sensor.WaitFor("b is down. Switch it on: ip link set b up");
        _lab.Ip("link", "set", "dev", "b", "up");
        sensor.WaitFor("b is in order again.");
        Send(Enumerable.Repeat(frame, 100));
        sensor.UntilPackets(101);

        _lab.Ip("link", "del", "dev", "b");
        sensor.WaitFor("b is gone. Reading goes on when an interface of this name appears.");
        _lab.AddCable();
        sensor.WaitFor("b is in order again.");
        Send(Enumerable.Repeat(frame, 1000));

        Assert.Equal((1101, 0), (sensor.End().Packets, sensor.Told.Drops));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void A_burst_beyond_the_ring_is_counted_truly_as_read_or_dropped(string readers)
    {
        const int Burst = 40_000;
        using var sensor = new WatchingSensor(_lab, "--interface", "b", "--ring", "1", "--readers", readers);
        sensor.Process.Pause();
        Send(Enumerable.Range(0, Burst).Select(i => Packets.Udp(1 + (i % 200), 250, 5000, 5001, payload: 10)));
        sensor.Process.Resume();
        sensor.UntilPackets(1);
        Send(Enumerable.Repeat(Packets.Udp(1, 2, 5000, 5001, payload: 10), 100));

        var told = sensor.End();

        Assert.Equal(Burst + 100, told.Packets + told.Drops);
        Assert.True(told.Drops > 1000, "A ring of 1 MiB for each reader cannot hold 40,000 frames.");
    }

    [Fact]
    public void An_interface_that_is_not_there_is_told_and_ends_the_program()
    {
        using var sensor = SensorProcess.Start(_lab.Name, "--interface", "none", "--json", "--language", "en");

        Assert.Equal(1, sensor.Ended());
        Assert.Equal(["There is no interface none. Correct the name; ip link lists those that exist."], sensor.Errors);
        Assert.Empty(sensor.Output);
    }

    [Fact]
    public void Without_a_screen_a_line_is_printed_and_without_an_identity_nothing_is_sent()
    {
        using var sensor = SensorProcess.Start(_lab.Name, "--interface", "b", "--interval", "1", "--no-view", "--language", "ja");
        sensor.Until(() => sensor.Errors.Count > 0, "it does not read");
        sensor.Until(() => sensor.Output.Count > 0, "no line is printed");
        sensor.Stop();
        Assert.Equal(0, sensor.Ended());
        Assert.Contains("パケット/秒", Assert.Single(sensor.Output), StringComparison.Ordinal);

        var folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var stranger = SensorProcess.Start(_lab.Name, "--interface", "b", "--gateway", "https://localhost:1", "--folder", folder, "--language", "en");
        Assert.Equal(1, stranger.Ended());
        Assert.Contains("sekisho sensor enrol", Assert.Single(stranger.Errors), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void A_file_that_never_comes_to_its_end_is_left_when_it_is_told_to()
    {
        using var sensor = SensorProcess.Start(_lab.Name, "--read", "-");
        sensor.Until(() => CatchesInterrupt(sensor.Id), "it does not listen to Ctrl+C");
        sensor.Stop();

        Assert.NotEqual(0, sensor.Ended());
        Assert.Empty(sensor.Errors);
    }

    private static bool CatchesInterrupt(int process) =>
        (Convert.ToUInt64(File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("SigCgt:", StringComparison.Ordinal))[7..].Trim(), 16) & 2) != 0;

    private static IReadOnlyList<string> Troubles(string line) => [.. JsonNode.Parse(line)!["trouble"]!.AsArray().Select(t => t!.GetValue<string>())];

    private void Send(IEnumerable<byte[]> frames) => _lab.Inside(() =>
    {
        using var sender = new FrameSender("a");
        foreach (var frame in frames)
        {
            Assert.True(sender.Send(frame));
        }
    });
}
