using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Records;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Records;

public sealed class FlowListenerTests : IAsyncLifetime
{
    private static readonly byte[] s_template = Set(2, Template(256, [8, 4], [12, 4], [2, 4], [1, 4]));
    private static readonly byte[] s_data = Set(256, Of("10.0.0.1"), Of("10.0.0.2"), Four(3), Four(300));

    private readonly Channel<FlowRecord> _records = Channel.CreateBounded<FlowRecord>(1000);
    private readonly CancellationTokenSource _stop = new();
    private readonly ManualClock _clock = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private FlowListener _listener = null!;
    private Task _running = Task.CompletedTask;

    public ValueTask InitializeAsync()
    {
        Start(new() { Address = IPAddress.Loopback, Port = 0, Connections = 2 });
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _listener.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task Datagrams_are_taken_in()
    {
        using var exporter = new UdpClient();
        exporter.Connect(IPAddress.Loopback, _listener.Port);
        await exporter.SendAsync(Ipfix(1, 0, 1, s_template, s_data));
        await exporter.SendAsync(Ipfix(1, 1, 1, s_data));

        Assert.Equal(["10.0.0.1", "10.0.0.1"], [(await Next()).Source.ToString(), (await Next()).Source.ToString()]);
        Assert.Equal(0, _listener.Counts.LostRecords);
    }

    [Fact]
    public async Task A_stream_is_cut_into_its_messages_wherever_its_segments_end()
    {
        using var exporter = await Connect();
        byte[] stream = [.. Ipfix(1, 0, 1, s_template, s_data), .. Ipfix(1, 1, 1, s_data, s_data), .. Five(1, 1, 1, 0, FiveRecord("10.0.0.9", "10.0.0.2", 1, 2, 17, 0, 1, 100, 0, 0))];
        foreach (var b in stream)
        {
            await exporter.SendAsync(new[] { b });
        }

        Assert.Equal(["10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.9"], [(await Next()).Source.ToString(), (await Next()).Source.ToString(), (await Next()).Source.ToString(), (await Next()).Source.ToString()]);
        Assert.Equal((3L, 0L), (_listener.Counts.Messages, _listener.Counts.Malformed));
    }

    [Fact]
    public async Task Templates_of_a_connection_end_with_it()
    {
        using (var exporter = await Connect())
        {
            await exporter.SendAsync(Ipfix(1, 0, 1, s_template, s_data));
            await Next();
        }

        using var again = await Connect();
        await again.SendAsync(Ipfix(1, 0, 1, s_data));
        await again.SendAsync(Ipfix(1, 1, 1, s_template, s_data));
        await Next();

        Assert.Equal(1, _listener.Counts.WithoutTemplate);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("\0\n\0\u0003")]
    [InlineData("\0\u0009\0\u0001")]
    public async Task A_stream_of_something_else_is_closed_and_counted(string begin)
    {
        using var other = await Connect();
        await other.SendAsync(System.Text.Encoding.ASCII.GetBytes(begin));

        Assert.True(await Closed(other));
        Assert.Equal(1, _listener.Counts.Malformed);
    }

    [Fact]
    public async Task Connections_above_the_limit_are_closed_and_one_that_ends_makes_room()
    {
        using var first = await Connect();
        var second = await Connect();
        await first.SendAsync(Ipfix(1, 0, 1, s_template, s_data));
        await second.SendAsync(Ipfix(1, 0, 1, s_template, s_data));
        await Next();
        await Next();
        using var third = await Connect();
        Assert.True(await Closed(third));
        Assert.Equal(1, _listener.Refused);

        second.Dispose();
        for (var tries = 0; ; tries++)
        {
            using var fourth = await Connect();
            try
            {
                await fourth.SendAsync(Ipfix(1, 0, 1, s_template, s_data));
                if (!await Closed(fourth, TimeSpan.FromMilliseconds(200)))
                {
                    break;
                }
            }
            catch (SocketException)
            {
                // Refused while the listener had not seen the end of the second one.
            }

            Assert.True(tries < 50, "There is no room again.");
        }
    }

    [Fact]
    public async Task A_silent_connection_is_closed()
    {
        using var exporter = await Connect();
        await exporter.SendAsync(Ipfix(1, 0, 1, s_template, s_data));
        await Next();

        _clock.Advance(new FlowListenerSettings().IdleTimeout + TimeSpan.FromSeconds(1));

        Assert.True(await Closed(exporter));
    }

    [Fact]
    public async Task Exporters_from_elsewhere_than_allowed_are_refused()
    {
        using var stop = new CancellationTokenSource();
        using var listener = new FlowListener(new() { Address = IPAddress.Loopback, Port = 0, Exporters = [IPNetwork.Parse("192.0.2.0/24")] }, _ => Assert.Fail("Nothing may come through."), _clock);
        var running = listener.RunAsync(stop.Token);
        using var stream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await stream.ConnectAsync(IPAddress.Loopback, listener.Port);
        Assert.True(await Closed(stream));
        using var exporter = new UdpClient();
        exporter.Connect(IPAddress.Loopback, listener.Port);
        await exporter.SendAsync(Ipfix(1, 0, 1, s_template, s_data));
        Assert.True(SpinWait.SpinUntil(() => listener.Refused == 2, TimeSpan.FromSeconds(10)));

        await stop.CancelAsync();
        await running;
    }

    private void Start(FlowListenerSettings settings)
    {
        _listener = new(settings, records => Assert.All(records, r => Assert.True(_records.Writer.TryWrite(r))), _clock);
        _running = _listener.RunAsync(_stop.Token);
    }

    private async Task<FlowRecord> Next()
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        return await _records.Reader.ReadAsync(late.Token);
    }

    private async Task<Socket> Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, _listener.Port);
        return socket;
    }

    private static async Task<bool> Closed(Socket socket, TimeSpan? within = null)
    {
        using var late = new CancellationTokenSource(within ?? TimeSpan.FromSeconds(20));
        try
        {
            return await socket.ReceiveAsync(new byte[1], late.Token) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
