using System.Text.Json;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Notification.OnCall;

/// <summary>How far a call has come: who was told, and when, in order. Stored as the progress of each of its leases. Pure.</summary>
/// <param name="Told">Every person told, or whose mail was refused, twice at most.</param>
internal sealed record Call(IReadOnlyList<CallStep> Told)
{
    /// <summary>The order is gone through this often.</summary>
    public const int Rounds = 2;

    /// <summary>How far the call of these leases has come: the furthest of them knows.</summary>
    public static Call Of(IEnumerable<Lease> leases) =>
        leases.Select(l => l.Details.Progress).OfType<string>().Select(p => JsonSerializer.Deserialize<Call>(p)!).MaxBy(c => c.Told.Count) ?? new Call([]);

    public string Store() => JsonSerializer.Serialize(this);

    /// <summary>Who has a mail.</summary>
    public IReadOnlyList<string> Reached => [.. Told.Where(t => !t.Refused).Select(t => t.Person).Distinct(StringComparer.OrdinalIgnoreCase)];

    public Call With(CallStep step) => new([.. Told, step]);

    /// <summary>When the next one may be told; null for at once.</summary>
    public DateTimeOffset? NextAt(OnCallOrder order) => Told.Count == 0 ? null : Told[^1].At.AddMinutes(order.Minutes);

    /// <summary>Who is next in the order as it is now, and in which round; null after the last person of the last round.</summary>
    public (string Person, int Round)? Next(OnCallOrder order)
    {
        for (var round = Told.Count == 0 ? 1 : Told[^1].Round; round <= Rounds; round++)
        {
            var told = Told.Where(t => t.Round == round).Select(t => t.Person);
            if (order.Persons.Except(told, StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } person)
            {
                return (person, round);
            }
        }

        return null;
    }
}

/// <summary>One person was told, or passed over.</summary>
/// <param name="Person">Address.</param>
/// <param name="Round">1 or 2.</param>
/// <param name="At">When; of somebody passed over so early that the next one is due at once.</param>
/// <param name="Refused">The mail server did not take the mail for this person.</param>
internal sealed record CallStep(string Person, int Round, DateTimeOffset At, bool Refused = false);
