using System.Globalization;
using System.Net.Http.Headers;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Uplink;

/// <summary>How an uplink is to behave.</summary>
/// <param name="Gateway">https://HOST:PORT of the gateway's listener for sensors.</param>
/// <param name="IdentityFolder">Folder of ca.pem and identity.pem.</param>
public sealed record UplinkOptions(Uri Gateway, string IdentityFolder)
{
    /// <summary>Intervals of one upload at most.</summary>
    public int MostIntervals { get; init; } = 32;

    /// <summary>Bytes of one upload at most, unless a single interval is larger.</summary>
    public int MostBytes { get; init; } = 1024 * 1024;

    /// <summary>How long an answer may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>First wait after a failure; each further one doubles it.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>
/// Sends what the spool holds to the gateway, oldest first, and forgets what the gateway has. While the gateway is away it tries again after waits
/// that double, each between half and all of its time, so that many sensors do not come back at once. <see cref="RunAsync"/> is one task; the rest
/// is for any thread.
/// </summary>
/// <param name="spool">What to send.</param>
/// <param name="options">Where to, and how.</param>
/// <param name="clock">Time and waits.</param>
/// <param name="random">Spreads the waits; used by <see cref="RunAsync"/> alone.</param>
public sealed class GatewayUplink(Spool spool, UplinkOptions options, TimeProvider clock, Random random)
{
    private static readonly TimeSpan RenewalRetry = TimeSpan.FromHours(1);

    private long _bytes;
    private long _reported;
    private volatile object? _offset; // a boxed double, so that it is read whole
    private volatile UplinkTrouble? _trouble;
    private DateTimeOffset _noRenewalBefore;

    /// <summary>Bytes sent to the gateway since the start, TLS included, below TCP.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Offset of this clock from the gateway's in milliseconds, positive when it is ahead; null before the first answer.</summary>
    public double? ClockOffset => (double?)_offset;

    /// <summary>Why nothing gets through now; null while all is well.</summary>
    public UplinkTrouble? Trouble => _trouble;

    /// <summary>Completes a report with what the uplink knows: bytes since the last report and the clock's offset. The spool adds the rest.</summary>
    public SensorState Report(SensorState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var bytes = Bytes;
        return state with { UplinkBytes = bytes - Interlocked.Exchange(ref _reported, bytes), ClockOffset = ClockOffset };
    }

    /// <summary>Sends until it is cancelled.</summary>
    /// <exception cref="UplinkException">The gateway refuses for good, or there is no identity. What waits stays in the spool.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var identity = SensorIdentity.Load(options.IdentityFolder);
        var client = Client(identity);
        try
        {
            var failures = 0;
            while (true)
            {
                await spool.WaitAsync(cancellation).ConfigureAwait(false);
                if (await RenewedAsync(client, identity, cancellation).ConfigureAwait(false))
                {
                    client.Dispose();
                    identity.Dispose();
                    identity = SensorIdentity.Load(options.IdentityFolder);
                    client = Client(identity);
                }

                var step = await SendAsync(client, cancellation).ConfigureAwait(false);
                _trouble = step.Trouble;
                if (step.Trouble is null)
                {
                    failures = 0;
                    continue;
                }

                var wait = Backoff(failures++);
                await Task.Delay(step.Wait is { } asked && asked > wait ? asked : wait, clock, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            client.Dispose();
            identity.Dispose();
        }
    }

    private GatewayClient Client(SensorIdentity identity) =>
        GatewayClient.Trusting(options.Gateway, identity.Authority, identity.Certificate, options.Timeout, sent => Interlocked.Add(ref _bytes, sent));

    private TimeSpan Backoff(int failures)
    {
        var most = options.FirstWait * Math.Pow(2, Math.Min(failures, 30));
        most = most < options.LongestWait ? most : options.LongestWait;
        return most * (0.5 + (random.NextDouble() / 2));
    }

    /// <summary>One upload.</summary>
    /// <returns>What is in the way, and how long the gateway wants to be left alone; nothing when it went through.</returns>
    private async Task<(UplinkTrouble? Trouble, TimeSpan? Wait)> SendAsync(GatewayClient client, CancellationToken cancellation)
    {
        var batch = spool.Peek(options.MostIntervals, options.MostBytes);
        if (batch.Count == 0)
        {
            return default;
        }

        var body = new ByteArrayContent(IntervalBatch.Encode([.. batch.Select(i => i.Message)])) { Headers = { ContentType = new MediaTypeHeaderValue(IntervalBatch.MediaType) } };
        var (answer, asked) = (default(GatewayAnswer), clock.GetUtcNow());
        try
        {
            answer = await client.SendAsync(HttpMethod.Post, "/sensor/v1/intervals", body, clock, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            return (new UplinkTrouble(UplinkFault.Unreachable, e.Message), null);
        }

        var (first, last) = (batch[0].Sequence, batch[^1].Sequence);
        switch (answer.Status)
        {
            case >= 200 and < 300 when answer.Number("upTo") is { } upTo && upTo >= first && upTo <= last:
                spool.Confirm(upTo, last);
                Learn(answer, asked);
                return default;
            case 409 when answer.Number("upTo") is { } upTo && upTo >= last && upTo < long.MaxValue / 2:
                // Known all of it: the last answer was lost, or this sensor was set back. Numbers go on above what the gateway has.
                spool.Confirm(upTo, last);
                Learn(answer, asked);
                return default;
            case 408 or 425 or 429:
            case >= 500:
                return (new UplinkTrouble(UplinkFault.Busy, Status(answer)), answer.RetryAfter);
            case >= 400 and < 500 and not 409 when answer.Text("type") is { } type:
                throw new UplinkException(UplinkFault.Refused, $"{answer.Status}, {type}: {answer.Text("detail")}");
            default:
                // Nothing that a gateway says: a portal or a proxy may sit between, and may go again. Nothing is forgotten for it.
                return (new UplinkTrouble(UplinkFault.NoGateway, Status(answer)), answer.RetryAfter);
        }
    }

    private static string Status(GatewayAnswer answer) => answer.Status.ToString(CultureInfo.InvariantCulture);

    private void Learn(GatewayAnswer answer, DateTimeOffset asked)
    {
        if (answer.Number("time") is { } time)
        {
            var now = clock.GetUtcNow();
            var middle = asked + ((now - asked) / 2);
            _offset = (middle - DateTimeOffset.UnixEpoch).TotalMilliseconds - time;
        }
    }

    /// <summary>Renews the certificate when it is due. What fails is tried again in an hour, as long as the present one lasts.</summary>
    private async Task<bool> RenewedAsync(GatewayClient client, SensorIdentity identity, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (!identity.IsToBeRenewed(now) || now < _noRenewalBefore)
        {
            return false;
        }

        _noRenewalBefore = now + RenewalRetry;
        try
        {
            return (await Enrolment.RenewAsync(client, options.IdentityFolder, clock, cancellation).ConfigureAwait(false)).Done;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UplinkException || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            // The upload that follows says what is wrong.
            return false;
        }
    }
}
