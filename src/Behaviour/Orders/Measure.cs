using Sekisho.Wire.Orders;

namespace Sekisho.Behaviour.Orders;

/// <summary>A measure as the store has it.</summary>
/// <param name="Id">16 characters.</param>
/// <param name="FieldId">Its field.</param>
/// <param name="DeviceId">Its device.</param>
/// <param name="OrderedAt">When it was last ordered.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="LiftedAt">When somebody ended it; null while it stands.</param>
/// <param name="Body">What stands sealed.</param>
internal sealed record Measure(string Id, string FieldId, string DeviceId, DateTimeOffset OrderedAt, DateTimeOffset ExpiresAt, DateTimeOffset? LiftedAt, MeasureBody Body)
{
    public bool Stands(DateTimeOffset now) => LiftedAt is null && ExpiresAt > now;
}

/// <summary>What of a measure is sealed in the store.</summary>
/// <param name="Kind">"block" or "quarantine".</param>
/// <param name="Macs">As 02:00:00:00:00:01.</param>
/// <param name="Addresses">As text.</param>
/// <param name="Reachable">As "tcp 192.0.2.1 443".</param>
internal sealed record MeasureBody(string Kind, IReadOnlyList<string> Macs, IReadOnlyList<string> Addresses, IReadOnlyList<string> Reachable);

/// <summary>An order to one enforcer.</summary>
/// <param name="SensorId">The enforcer.</param>
/// <param name="Sequence">Its number.</param>
/// <param name="MeasureId">What it is about.</param>
/// <param name="Kind">"block", "quarantine" or "lift".</param>
/// <param name="IssuedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends.</param>
/// <param name="Outcome">One of <see cref="Outcomes"/>.</param>
/// <param name="Cause">Why the enforcer does not follow; empty otherwise.</param>
/// <param name="AnsweredAt">When it answered.</param>
internal sealed record IssuedOrder(
    string SensorId, long Sequence, string MeasureId, string Kind, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, string Outcome, string Cause, DateTimeOffset? AnsweredAt)
{
    public bool IsLift => Kind == Measures.Lift;

    /// <summary>The enforcer may have it in force.</summary>
    public bool MayHold(DateTimeOffset now) => ExpiresAt > now && (IsLift ? Outcome != Outcomes.Lifted : Outcome is not Outcomes.Refused and not Outcomes.Lost);
}

/// <summary>Stable names of what becomes of an order.</summary>
internal static class Outcomes
{
    public const string Waiting = "waiting";
    public const string Applied = "applied";
    public const string Lifted = "lifted";
    public const string Refused = "refused";
    public const string Failed = "failed";

    /// <summary>It is over for the enforcer: its disk was lost, or what it refused was ordered anew.</summary>
    public const string Lost = "lost";

    /// <summary>Cause of a refusal that does not pass: the order would touch somebody whom none touches.</summary>
    public const string Protected = "protected";

    /// <summary>What an enforcer may say.</summary>
    public static readonly IReadOnlyList<string> OfEnforcers = [Applied, Lifted, Refused, Failed];
}

/// <summary>Decides which order an enforcer needs. Pure.</summary>
internal static class Measures
{
    public const string Block = "block";
    public const string Quarantine = "quarantine";
    public const string Lift = "lift";

    // An order that ends earlier than its measure is renewed so long before.
    private static readonly TimeSpan s_renewal = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_again = TimeSpan.FromMinutes(1);

    /// <summary>The kind of the next order about a measure for an enforcer; null when it has what it needs.</summary>
    /// <param name="measure">The measure.</param>
    /// <param name="newest">The newest order about it that this enforcer was given; null for none.</param>
    /// <param name="now">Now.</param>
    public static string? Due(Measure measure, IssuedOrder? newest, DateTimeOffset now)
    {
        if (measure.Stands(now))
        {
            // Another enforcer may hold it, so it stands: one that was full or whose clock was wrong is asked again. Whom it protects is not.
            var passing = newest?.Outcome == Outcomes.Refused && newest.Cause != Outcomes.Protected && now - newest.IssuedAt > s_again;
            var holds = newest is not null && newest.Kind == measure.Body.Kind && newest.Outcome != Outcomes.Lost && !passing
                && (newest.ExpiresAt >= measure.ExpiresAt || newest.ExpiresAt - now > s_renewal);
            return holds ? null : measure.Body.Kind;
        }

        return newest is not null && newest.MayHold(now) && (!newest.IsLift || (newest.Outcome == Outcomes.Refused && now - newest.IssuedAt > s_again)) ? Lift : null;
    }

    /// <summary>When an order of a kind ends.</summary>
    public static DateTimeOffset End(Measure measure, string kind, IssuedOrder? newest, DateTimeOffset now)
    {
        // A lift is good for as long as what it ends.
        var wanted = kind == Lift ? newest!.ExpiresAt : measure.ExpiresAt;
        var longest = now + NetworkOrderCodec.LongestLife;
        return wanted < longest ? wanted : longest;
    }
}
