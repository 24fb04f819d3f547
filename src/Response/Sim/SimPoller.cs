using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Domain.Events;
using Sekisho.Response.Sim.Cards;
using Sekisho.Response.Sim.Carriers;

namespace Sekisho.Response.Sim;

/// <summary>
/// Once a minute asks the carriers for traffic, session and address of the SIMs whose turn it is, and tells detection by the way that facts posted by
/// others take. Within the requests a minute that the field allows; what is not asked now is asked next, the longest untold first. A carrier that
/// fails is left alone for longer and longer, and holds no other field back. Traffic is told by the carrier's five minutes, summed by the hour, and
/// only of SIMs that carry one device: of several nobody knows whose it was. Any thread; one round at a time.
/// </summary>
internal sealed partial class SimPoller(SimCards cards, SimProviders providers, SimStore store, ISimFacts facts, TimeProvider clock, ILogger<SimPoller> log) : IHostedService, IDisposable
{
    private const int RequestsOfSim = 2;
    private const int FieldsAtOnce = 8;

    private static readonly TimeSpan Round = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Bucket = TimeSpan.FromMinutes(5);

    // Carriers count with a delay.
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(10);

    // Detection takes facts of the last day; what an outage of the carrier left untold before that stays untold.
    private static readonly TimeSpan Oldest = TimeSpan.FromHours(25);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(30);

    private readonly SemaphoreSlim _turn = new(1, 1); // guards _paused
    private readonly Dictionary<string, (DateTimeOffset Until, int Times)> _paused = new(StringComparer.Ordinal);
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, DateTimeOffset> _later = new(StringComparer.Ordinal); // SIMs that the carrier tells nonsense of
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await providers.LoadAsync(cancellationToken);
        await cards.LoadAsync(cancellationToken);
        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public void Dispose()
    {
        _stop.Dispose();
        _turn.Dispose();
    }

    /// <summary>Asks for everything whose turn it is.</summary>
    internal async Task RoundAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            // Another node may have changed them.
            await providers.LoadAsync(cancellation);
            await cards.LoadAsync(cancellation);
            var due = providers.All.Where(p => p.Config.PollMinutes is not null && !(_paused.TryGetValue(p.Config.FieldId, out var pause) && pause.Until > clock.GetUtcNow())).ToList();
            var failed = new System.Collections.Concurrent.ConcurrentDictionary<string, CarrierException>();
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = FieldsAtOnce, CancellationToken = cancellation }, async (field, stop) =>
            {
                try
                {
                    await AskAsync(field, stop);
                }
                catch (CarrierException e)
                {
                    failed[field.Config.FieldId] = e;
                }
            });
            foreach (var id in due.Select(d => d.Config.FieldId))
            {
                Remember(id, failed.GetValueOrDefault(id));
            }

            if (due.Count > 0)
            {
                await cards.LoadAsync(cancellation);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await RoundAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // The store or the journal does not answer: what was not told is told in a later round.
                RoundFailed(e.GetType().Name);
            }

            await Task.Delay(Round, clock, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Remember(string fieldId, CarrierException? fault)
    {
        if (fault is null)
        {
            if (_paused.Remove(fieldId))
            {
                Answers(fieldId);
            }

            return;
        }

        var times = _paused.TryGetValue(fieldId, out var before) ? before.Times + 1 : 1;
        var pause = fault.RetryAfter ?? TimeSpan.Zero;
        var own = FirstPause * Math.Pow(2, Math.Min(times - 1, 6));
        own = own < LongestPause ? own : LongestPause;
        _paused[fieldId] = (clock.GetUtcNow() + (pause > own ? pause : own), times);
        if (times == 1)
        {
            Fails(fieldId, fault.Message);
        }
    }

    private async Task AskAsync(FieldCarrier field, CancellationToken cancellation)
    {
        var (now, every) = (clock.GetUtcNow(), TimeSpan.FromMinutes(field.Config.PollMinutes!.Value));
        var settled = Floor(now - Settled);
        var due = cards.All.Where(c => c.FieldId == field.Config.FieldId && (c.ToldUntil is not { } told || told + every <= settled)
                && !(_later.TryGetValue(c.Id, out var later) && later > now) && cards.DevicesOn(c).Count > 0)
            .OrderBy(c => c.ToldUntil ?? DateTimeOffset.MinValue).ThenBy(c => c.Id, StringComparer.Ordinal)
            .Take(Math.Max(1, field.Config.RequestsPerMinute / RequestsOfSim)).ToList();
        foreach (var card in due)
        {
            // A carrier that is slow on every answer must not make the round longer than its minute.
            if (clock.GetUtcNow() - now > Round / 2)
            {
                return;
            }

            try
            {
                await TellAsync(field.Provider, card, Begin(card, settled, every), settled, cancellation);
                _later.TryRemove(card.Id, out _);
            }
            catch (CarrierException e) when (e.Kind is CarrierFaults.Nonsense or CarrierFaults.Refused)
            {
                // Of this SIM alone, so that the others go on.
                if (_later.TryAdd(card.Id, now + every))
                {
                    FailsFor(field.Config.FieldId, card.Id, e.Message);
                }

                _later[card.Id] = now + every;
            }
        }
    }

    private static DateTimeOffset Begin(SimCard card, DateTimeOffset settled, TimeSpan every)
    {
        var begin = card.ToldUntil ?? settled - every;
        return Floor(begin < settled - Oldest ? settled - Oldest : begin);
    }

    private async Task TellAsync(ISimProvider provider, SimCard card, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var devices = cards.DevicesOn(card);
        var told = new List<SimFactEvent>();
        if (await provider.StatusAsync(card.Names.SimId, cancellation) is { } status)
        {
            var now = clock.GetUtcNow();
            told.AddRange(devices.Select(d => Fact(provider, d.DeviceId, card.FieldId, now, now) with
            {
                Address = status.Address,
                Cell = status.Cell,
                Session = status.IsOnline switch { true => SimSessions.Attached, false => SimSessions.Detached, null => SimSessions.Unknown },
            }));
            if (devices.Count == 1 && to > from && await provider.TrafficAsync(card.Names.SimId, from, to, cancellation) is { } traffic)
            {
                told.AddRange(Hours(traffic, from, to).Select(h => Fact(provider, devices[0].DeviceId, card.FieldId, h.From, h.To) with { UplinkBytes = h.Up, DownlinkBytes = h.Down }));
            }
        }

        if (told.Count > 0)
        {
            await facts.ReportAsync(told, cancellation);
        }

        // After the facts are durable: told twice is counted once, not told is lost.
        await store.ToldAsync(card.Id, to, cancellation);
    }

    private SimFactEvent Fact(ISimProvider provider, string deviceId, string fieldId, DateTimeOffset from, DateTimeOffset to) => new()
    {
        ArrivedAt = clock.GetUtcNow(),
        CorrelationId = Correlation.New(),
        FieldId = fieldId,
        DeviceId = deviceId,
        Provider = provider.Name,
        From = DateTimeOffset.FromUnixTimeMilliseconds(from.ToUnixTimeMilliseconds()),
        To = DateTimeOffset.FromUnixTimeMilliseconds(to.ToUnixTimeMilliseconds()),
        Session = SimSessions.Unknown,
    };

    /// <summary>Sums by clock hours; five minutes that the carrier says nothing of had no traffic.</summary>
    internal static IEnumerable<(DateTimeOffset From, DateTimeOffset To, long Up, long Down)> Hours(IReadOnlyList<SimTraffic> traffic, DateTimeOffset from, DateTimeOffset to)
    {
        if (traffic.FirstOrDefault(t => t.Until is not null) is { } whole)
        {
            yield return (whole.At, whole.Until!.Value, whole.Up, whole.Down);
            yield break;
        }

        for (var begin = from; begin < to;)
        {
            var hour = new DateTimeOffset(begin.Ticks - (begin.Ticks % TimeSpan.TicksPerHour) + TimeSpan.TicksPerHour, TimeSpan.Zero);
            var end = hour < to ? hour : to;
            var within = traffic.Where(t => t.At >= begin && t.At < end).ToList();
            yield return (begin, end, within.Sum(t => t.Up), within.Sum(t => t.Down));
            begin = end;
        }
    }

    private static DateTimeOffset Floor(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % Bucket.Ticks), TimeSpan.Zero);

    [LoggerMessage(4020, LogLevel.Warning, "The carrier of field {Field} does not tell of its SIMs: {Fault}")]
    private partial void Fails(string field, string fault);

    [LoggerMessage(4023, LogLevel.Warning, "The carrier of field {Field} does not tell of SIM {Sim}: {Fault}")]
    private partial void FailsFor(string field, string sim, string fault);

    [LoggerMessage(4021, LogLevel.Information, "The carrier of field {Field} tells of its SIMs again")]
    private partial void Answers(string field);

    [LoggerMessage(4022, LogLevel.Warning, "Asking the carriers failed inside the gateway ({Kind}); it goes on with the next round")]
    private partial void RoundFailed(string kind);
}
