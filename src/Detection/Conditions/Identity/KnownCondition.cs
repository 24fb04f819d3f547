using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Identity;

/// <summary>What of a signal is looked up among what is known: a stable hash, 0 for nothing; and its text.</summary>
internal interface IFeature
{
    ulong Of(in Signal signal);

    string? TextOf(in Signal signal);
}

/// <summary>
/// Something about a device that was never seen while it was learnt (<see cref="KnownSet"/>): a client, a way through relays, a size. Told once, and known
/// from then on; a device that finds new ones again and again says nothing by it. The cells are the set's.
/// </summary>
internal sealed class KnownCondition(string metric, IFeature feature) : ICondition
{
    /// <summary>"fingerprint": with which client (User-Agent) a device authenticates: other software, or somebody else.</summary>
    public static readonly ConditionKind Fingerprint = new("fingerprint", [Scopes.Device, Scopes.User], TakesMode: false, [], _ => new KnownCondition("clients", new ClientFeature()));

    /// <summary>"path": through which relays messages of a device behind a gateway unit come.</summary>
    public static readonly ConditionKind Path = new("path", [Scopes.Device], TakesMode: false, [], _ => new KnownCondition("paths", new PathFeature()));

    /// <summary>"known-sizes": sizes of messages of a device that sends few. One whose messages have many sizes says nothing by another.</summary>
    public static readonly ConditionKind Sizes = new("known-sizes", [Scopes.Device], TakesMode: false, [], _ => new KnownCondition("sizes", new SizeFeature()));

    public int Cells => KnownSet.Cells;

    public long QuietAfter => 3_600_000;

    public bool Concerns(in Signal signal) => feature.Of(signal) != 0;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        var key = feature.Of(signal);
        return key != 0 && KnownSet.Observe(state, (long)key, signal.At, isClean: true) == Membership.New ? Verdict.Violation : Verdict.None;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var known = Math.Max(0, KnownSet.Members(state) - 1);
        return new Evidence
        {
            Metric = metric,
            Unit = "count",
            Measured = known + 1,
            ExpectedHigh = known,
            Origin = "learnt",
            Events = [signal.Position],
            Counterfactual = new Counterfactual("raiseAfter", "at-least", 2, "count"),
            Claim = feature.TextOf(signal),
            Facts = new Dictionary<string, string> { ["new"] = feature.TextOf(signal) ?? "", ["known"] = Facts.Whole(known) },
        };
    }

    private sealed class ClientFeature : IFeature
    {
        public ulong Of(in Signal signal) =>
            signal.Kind == SignalKind.Authentication && signal.What is AuthenticationOutcomes.Bound or AuthenticationOutcomes.Renewed ? signal.Client : 0;

        public string? TextOf(in Signal signal) => (signal.Happened as AuthenticationEvent)?.Client;
    }

    private sealed class PathFeature : IFeature
    {
        public ulong Of(in Signal signal) => signal.Kind == SignalKind.Message && !signal.Backlog && !IsByParent(signal) ? signal.Path : 0;

        public string? TextOf(in Signal signal) => (signal.Happened as MessageEvent)?.Path;

        // Somebody declared that way: it is nothing new, and takes no place of one that is learnt.
        private static bool IsByParent(in Signal signal) => signal.ParentId is { } parent && signal.Happened is MessageEvent { Path: { } path } && string.Equals(path, parent, StringComparison.Ordinal);
    }

    private sealed class SizeFeature : IFeature
    {
        public ulong Of(in Signal signal) => signal.Kind == SignalKind.Message && signal.IsClean ? (ulong)signal.Bytes + 1 : 0;

        public string? TextOf(in Signal signal) => Facts.Whole(signal.Bytes);
    }
}
