using Sekisho.Domain.Events;
using Sekisho.Domain.Operations;

namespace Sekisho.Verification.Processes;

/// <summary>
/// A gateway that runs in this process under a virtual clock: real listeners, real TLS, real storage. Rows see of it what users see; only
/// <see cref="SettleAsync"/> looks inside, to know when time may move on.
/// </summary>
public sealed record GatewayUnderTest
{
    /// <summary>How long the gateway may take to work off what it has, in real time, before something is taken to be wrong with it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Address of the device listener.</summary>
    public required Uri Devices { get; init; }

    /// <summary>Address of the management listener.</summary>
    public required Uri Management { get; init; }

    /// <summary>Its data folder.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The set-up code of the first start.</summary>
    public required string SetupCode { get; init; }

    /// <summary>The command line that starts such a gateway in a process of its own.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Its journal.</summary>
    public required IEventJournal Journal { get; init; }

    /// <summary>What detection reads of it.</summary>
    public required IEventFeed Feed { get; init; }

    /// <summary>Its stages.</summary>
    public required IReadOnlyList<IStage> Stages { get; init; }

    /// <summary>The virtual clock it runs under.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>File of the authority to trust.</summary>
    public string CaFile => Path.Combine(DataFolder, "ca.pem");

    /// <summary>
    /// Puts the clock into the journal and returns when detection has judged everything up to there, the tick included. What was received before is
    /// before it in the journal.
    /// </summary>
    /// <exception cref="TimeoutException">It does not come to an end; the message has the stages' faults.</exception>
    public async Task SettleAsync(CancellationToken cancellation)
    {
        var position = await Journal.AppendAsync([new TickEvent { ArrivedAt = Clock.GetUtcNow(), CorrelationId = "" }], cancellation).ConfigureAwait(false);
        var detection = Stages.Single(s => s.Name == "detection");
        var started = TimeProvider.System.GetTimestamp();
        for (var look = 0; ; look++)
        {
            // What waits is counted from an end of the journal that is this one or a later one, so it is never taken to be further than it is.
            var end = Feed.LastPosition;
            if (end - detection.Status.Waiting >= position)
            {
                return;
            }

            if (TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException("The gateway does not work off what it has received: " + string.Join("; ", Stages.Select(s => $"{s.Name} {s.Status.Waiting} {s.Status.Fault}")));
            }

            await (look < 100 ? Task.Delay(TimeSpan.Zero, TimeProvider.System, cancellation) : Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellation)).ConfigureAwait(false);
            if (look < 100)
            {
                await Task.Yield();
            }
        }
    }
}
