using Microsoft.AspNetCore.Http;
using Sekisho.Sensor.Uplink;

namespace Sekisho.Sensor.Tests;

public sealed class UplinkTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-uplink-").FullName;
    private readonly QuickClock _clock = new();

    private string Identity => Path.Combine(_folder, "identity");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Intervals_go_in_order_and_leave_the_disk_when_the_gateway_has_them()
    {
        await using var gateway = await StartAsync();
        using var spool = Filled(5);
        await using var running = Run(gateway, spool, o => o with { MostIntervals = 2 });
        await running.EmptyAsync(spool);
        Assert.Equal([[1, 2], [3, 4], [5]], gateway.Uploads);
        Assert.DoesNotContain("none", gateway.Shown);
        Assert.InRange(running.Uplink.Bytes, 1_000, 20_000);
        var report = running.Uplink.Report(new Wire.Features.SensorState());
        Assert.Equal(running.Uplink.Bytes, report.UplinkBytes);
        Assert.Equal(0, running.Uplink.Report(new Wire.Features.SensorState()).UplinkBytes);

        // The stand-in says that it is one second past 1970.
        Assert.InRange(report.ClockOffset!.Value, (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds - 1_000 - Within.TotalMilliseconds, (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds - 1_000);
    }

    [Fact]
    public async Task A_gateway_that_is_down_is_tried_after_waits_that_double_and_nothing_is_lost()
    {
        await using var gateway = await StartAsync();
        await gateway.DownAsync();
        using var spool = Filled(3);
        await using var running = Run(gateway, spool);
        await running.UntilAsync(() => _clock.Waits.Count >= 12);
        Assert.Equal(3, spool.Waiting);
        Assert.Equal(UplinkFault.Unreachable, running.Uplink.Trouble?.Fault);
        var waits = _clock.Waits.Take(12).Select(w => w.TotalSeconds).ToArray();
        for (var i = 0; i < waits.Length; i++)
        {
            var most = Math.Min(300, Math.Pow(2, i));
            Assert.InRange(waits[i], most / 2, most);
        }

        Assert.True(waits[9..].Distinct().Count() > 1, "the waits are not spread");
        await gateway.UpAsync();
        await running.EmptyAsync(spool);
        Assert.Equal([1L, 2, 3], gateway.Uploads.SelectMany(u => u));
        Assert.Null(running.Uplink.Trouble);
    }

    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_gateway_without_time_is_left_alone_for_as_long_as_it_says(int status)
    {
        await using var gateway = await StartAsync();
        Once(gateway, context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "77";
            return Task.CompletedTask;
        });
        using var spool = Filled(1);
        await using var running = Run(gateway, spool);
        await running.EmptyAsync(spool);
        Assert.Equal(TimeSpan.FromSeconds(77), Assert.Single(_clock.Waits));
    }

    [Fact]
    public async Task Whatever_nonsense_is_answered_nothing_is_forgotten_for_it()
    {
        await using var gateway = await StartAsync();
        Func<HttpContext, Task>[] nonsense =
        [
            c => c.Response.WriteAsync("<html>Please sign in</html>"),
            c => GatewayStandIn.Json(c, 200, "{}"),
            c => GatewayStandIn.Json(c, 200, """{"upTo":0}"""),
            c => GatewayStandIn.Json(c, 200, """{"upTo":9000000}"""),
            c => GatewayStandIn.Json(c, 200, """{"upTo":-1}"""),
            c => GatewayStandIn.Json(c, 200, """{"upTo":"2"}"""),
            c => GatewayStandIn.Json(c, 200, "[1,2"),
            c => GatewayStandIn.Json(c, 409, """{"upTo":1}"""),
            c => GatewayStandIn.Json(c, 409, $$"""{"upTo":{{long.MaxValue}}}"""),
            c => GatewayStandIn.Json(c, 404, "{}"),
            c => Redirect(c),
            c => c.Response.WriteAsync(new string('x', 200_000)),
            async c =>
            {
                // Half an answer, then the connection breaks.
                c.Response.ContentLength = 100;
                await c.Response.WriteAsync("""{"upTo":2""");
                await c.Response.Body.FlushAsync();
                c.Abort();
            },
            c =>
            {
                c.Abort();
                return Task.CompletedTask;
            },
        ];
        var asked = 0;
        var usual = gateway.Answer;
        gateway.Answer = (context, sequences) => asked < nonsense.Length ? nonsense[asked++](context) : usual(context, sequences);
        using var spool = Filled(2);
        await using var running = Run(gateway, spool);
        await running.EmptyAsync(spool);
        Assert.Equal(nonsense.Length + 1, gateway.Uploads.Count);
        Assert.All(gateway.Uploads, u => Assert.Equal([1, 2], u));
        Assert.Equal(0, spool.Lost);
    }

    [Fact]
    public async Task An_answer_that_takes_too_long_is_not_waited_for()
    {
        await using var gateway = await StartAsync();
        var hang = new TaskCompletionSource();
        Once(gateway, _ => hang.Task);
        using var spool = Filled(1);
        await using var running = Run(gateway, spool, o => o with { Timeout = TimeSpan.FromMilliseconds(500) });
        await running.EmptyAsync(spool);
        hang.SetResult();
        Assert.True(gateway.Uploads.Count >= 2);
    }

    [Fact]
    public async Task What_the_gateway_has_already_is_forgotten_and_numbers_go_on_above_it()
    {
        await using var gateway = await StartAsync();
        Once(gateway, c => GatewayStandIn.Json(c, 409, """{"type":"urn:sekisho:problem:sensor-intervals-repeated","upTo":50,"time":5}"""));
        using var spool = Filled(2);
        await using var running = Run(gateway, spool);
        await running.EmptyAsync(spool);
        Assert.Equal(51, spool.Append(Intervals.Of(0)));
        await running.EmptyAsync(spool);
        Assert.Equal([[1, 2], [51]], gateway.Uploads);
    }

    [Theory]
    [InlineData(403, "sensor-revoked")]
    [InlineData(422, "sensor-intervals-invalid")]
    public async Task A_refusal_for_good_ends_it_with_a_sentence_and_what_waits_stays(int status, string slug)
    {
        await using var gateway = await StartAsync();
        Once(gateway, c => GatewayStandIn.Json(c, status, $$"""{"type":"urn:sekisho:problem:{{slug}}","detail":"Because."}"""));
        using var spool = Filled(2);
        var uplink = New(gateway, spool, o => o);
        var told = await Assert.ThrowsAsync<UplinkException>(() => uplink.RunAsync(CancellationToken.None).WaitAsync(Within));
        Assert.Contains(slug, told.Message, StringComparison.Ordinal);
        Assert.Contains("Because.", told.Message, StringComparison.Ordinal);
        Assert.Equal(2, spool.Waiting);
    }

    [Fact]
    public async Task Nothing_is_sent_to_a_gateway_of_another_authority()
    {
        await using var real = await StartAsync();
        await using var false_ = await GatewayStandIn.StartAsync();
        using var spool = Filled(1);
        await using var running = Run(false_, spool);
        await running.UntilAsync(() => _clock.Waits.Count >= 3);
        Assert.Empty(false_.Uploads);
        Assert.Equal(1, spool.Waiting);
    }

    [Fact]
    public async Task An_address_without_tls_and_a_sensor_without_identity_are_refused()
    {
        await using var gateway = await StartAsync();
        using var spool = Filled(1);
        var plain = new GatewayUplink(spool, new UplinkOptions(new Uri("http://localhost:1"), Identity), _clock, new Random(1));
        await Assert.ThrowsAsync<UplinkException>(() => plain.RunAsync(CancellationToken.None));
        var nobody = new GatewayUplink(spool, new UplinkOptions(gateway.Address, Path.Combine(_folder, "none")), _clock, new Random(1));
        await Assert.ThrowsAsync<UplinkException>(() => nobody.RunAsync(CancellationToken.None));
    }

    private static Task Redirect(HttpContext context)
    {
        context.Response.Redirect("https://localhost:1/");
        return Task.CompletedTask;
    }

    private static void Once(GatewayStandIn gateway, Func<HttpContext, Task> answer)
    {
        var usual = gateway.Answer;
        gateway.Answer = (context, _) =>
        {
            gateway.Answer = usual;
            return answer(context);
        };
    }

    private async Task<GatewayStandIn> StartAsync()
    {
        var gateway = await GatewayStandIn.StartAsync();
        gateway.WriteIdentity(Identity);
        return gateway;
    }

    private Spool Filled(int intervals)
    {
        var spool = Spool.Open(Path.Combine(_folder, "spool"));
        for (var i = 0; i < intervals; i++)
        {
            spool.Append(Intervals.Of(i));
        }

        return spool;
    }

    private GatewayUplink New(GatewayStandIn gateway, Spool spool, Func<UplinkOptions, UplinkOptions> change) =>
        new(spool, change(new UplinkOptions(gateway.Address, Identity)), _clock, new Random(1));

    private Running Run(GatewayStandIn gateway, Spool spool, Func<UplinkOptions, UplinkOptions>? change = null) => new(New(gateway, spool, change ?? (o => o)));

    /// <summary>A clock on which every wait is over at once; it keeps how long each was.</summary>
    private sealed class QuickClock : TimeProvider
    {
        private readonly List<TimeSpan> _waits = [];

        public IReadOnlyList<TimeSpan> Waits
        {
            get
            {
                lock (_waits)
                {
                    return [.. _waits];
                }
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (_waits)
            {
                _waits.Add(dueTime);
            }

            return System.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), period);
        }
    }

    /// <summary>An uplink that runs until the test is done with it.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly Task _run;

        public Running(GatewayUplink uplink)
        {
            Uplink = uplink;
            _run = Task.Run(() => uplink.RunAsync(_end.Token));
        }

        public GatewayUplink Uplink { get; }

        public Task EmptyAsync(Spool spool) => UntilAsync(() => spool.Waiting == 0 && Uplink.Trouble is null);

        public async Task UntilAsync(Func<bool> holds)
        {
            var deadline = TimeProvider.System.GetUtcNow() + Within;
            while (!holds())
            {
                if (_run.IsCompleted)
                {
                    await _run;
                }

                Assert.True(TimeProvider.System.GetUtcNow() < deadline, "it did not come to that: " + Uplink.Trouble);
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _run.WaitAsync(Within));
            _end.Dispose();
        }
    }
}
