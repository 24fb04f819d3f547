using System.Globalization;
using System.Net.Mail;
using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Notification.OnCall;

namespace Sekisho.Response.Actions.Mail;

/// <summary>
/// Calls the people on duty one after another until somebody acknowledges, through the order twice; then it says that nobody did. A step is a try of the
/// lease, so that a call survives a restart. The order says from which level on it calls, so quiet hours do not hold it back. So many calls of a list are
/// open at once; what comes on top joins the newest of them, and what tells of the same as an open call joins that one. What is taken back is told as a
/// target of its own, so that no call is ever taken for told with it. Somebody whose address is refused is passed over; one whose server says "later" is
/// tried again for a while. Any thread; one at a time per field and target.
/// </summary>
internal sealed class OnCallAction(
    NotificationStore notifications, GroupStore groups, LeaseStore leases, IFindings findings, OnCallText text, DigestText digests, MailSender sender, TimeProvider clock) : IResponseAction
{
    private const string Target = "on-call";

    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPatience = TimeSpan.FromMinutes(10);

    public string Name => OnCallLabels.Action;

    public bool CanUndo => false;

    public bool LocksOut => false;

    public bool Disturbs => false;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => (Target, null);

    public string RetractionTarget(string target) => "on-call-retracted";

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation) =>
        (await notifications.FindAsync(order.Lease.FieldId, cancellation))?.Times?.OnCall is not { } duty ? [new PreviewLine("response.preview.no-on-call")]
        : Levels.Rank(order.Lease.Level) < Levels.Rank(duty.Level) ? [new PreviewLine("response.preview.below-on-call")]
        : [new PreviewLine("response.preview.on-call", ("persons", Whole(duty.Persons.Count)), ("minutes", Whole(duty.Minutes)))];

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (sender.Obstacle is { } obstacle)
        {
            return new ActionOutcome.Refused(obstacle);
        }

        if (lease.Details.TellsRetraction)
        {
            return await TakeBackAsync(lease, cancellation);
        }

        if ((await notifications.FindAsync(lease.FieldId, cancellation))?.Times?.OnCall is not { } duty)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoOnCall);
        }

        if (Levels.Rank(lease.Level) < Levels.Rank(duty.Level))
        {
            return new ActionOutcome.Refused(LeaseCauses.BelowOnCall);
        }

        if (await findings.IsHandledAsync(lease.FindingId!, cancellation))
        {
            return new ActionOutcome.Done(Cause: LeaseCauses.Acknowledged);
        }

        // A call is open before anybody is told, so that what cannot be sent is tried again as one, however much comes on top.
        return lease.GroupKey is not { } key
            ? await OpenCallAsync(lease, duty, cancellation)
            : await StepAsync(lease, order.Finding!, duty, key, await groups.GroupAsync(key, cancellation), cancellation);
    }

    public Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) => throw new NotSupportedException("A call cannot be taken back.");

    /// <summary>Joins an open call, or opens one of its own.</summary>
    private async Task<ActionOutcome.Join> OpenCallAsync(Lease lease, OnCallOrder duty, CancellationToken cancellation)
    {
        var same = (await groups.CallsAsync(lease, sameThing: true, cancellation)).Where(c => RankOf(c.Key) >= Levels.Rank(lease.Level)).ToList();
        if (lease.DeviceId is not null && same.Count > 0)
        {
            return new ActionOutcome.Join(same[0].Key, same[0].Until);
        }

        var open = (await groups.CallsAsync(lease, sameThing: false, cancellation)).Where(c => RankOf(c.Key) >= Levels.Rank(lease.Level)).ToList();
        if (open.Count < sender.MostAtOnce)
        {
            return new ActionOutcome.Join(LeaseGroups.Key(LeaseGroups.Call, lease, $"{Whole(Levels.Rank(lease.Level))} {lease.Id}"), clock.GetUtcNow());
        }

        // All that is due now and no higher goes the same way: a storm is one call more, not thousands.
        var (key, until) = open[0];
        await groups.JoinAsync(lease, key, until, [.. Levels.All.Where(l => Levels.Rank(l) >= Levels.Rank(duty.Level) && Levels.Rank(l) <= Levels.Rank(lease.Level))], sameThing: false, cancellation);
        return new ActionOutcome.Join(key, until);
    }

    private async Task<ActionOutcome> StepAsync(Lease lease, Finding finding, OnCallOrder duty, string key, IReadOnlyList<Lease> members, CancellationToken cancellation)
    {
        var call = Call.Of(members);
        var now = clock.GetUtcNow();
        if (call.NextAt(duty) is { } at && at > now && at - now <= TimeSpan.FromMinutes(duty.Minutes))
        {
            // Who has joined since the last step is told with the next one.
            return new ActionOutcome.Join(key, at);
        }

        if (call.Next(duty) is null)
        {
            var over = members.Where(m => Call.Of([m]).Told.Count == call.Told.Count).ToList();
            if (over.Any(m => m.Id == lease.Id))
            {
                return new ActionOutcome.Done(Cause: call.Reached.Count == 0 ? LeaseCauses.NobodyReached : LeaseCauses.NobodyAcknowledged, Covers: [.. over.Select(m => m.Id)]);
            }

            // What joined after the last person was told was told to nobody: it calls from the beginning.
            members = [.. members.Except(over)];
            call = Call.Of(members);
        }

        if (call.Next(duty) is not { } next)
        {
            return new ActionOutcome.Done(Cause: LeaseCauses.NobodyAcknowledged);
        }

        IReadOnlyList<string> all = [.. members.Select(m => m.Id)];
        var content = members.Count > 1 ? await digests.OfAsync(members, LeaseGroups.Call, cancellation) : text.Of(lease, finding);
        var step = call.Told.Count + 1;
        RefusedRecipients refused;
        try
        {
            refused = await sender.SendAsync($"{lease.Id}.{Whole(step)}", lease.CorrelationId, text.WithLink(content, lease, next.Person, next.Round), [next.Person], cancellation);
        }
        catch (SmtpException e)
        {
            return new ActionOutcome.Retry(MailSender.Says(e));
        }

        if (refused.ForNow.Count > 0 && IsPatient(now - (call.NextAt(duty) ?? lease.StartedAt!.Value), duty))
        {
            return new ActionOutcome.Retry(refused.Says(1));
        }

        // Somebody whose mail is refused cannot be waited for.
        var isRefused = refused.All.Count > 0;
        var told = call.With(new CallStep(next.Person, next.Round, isRefused ? now.AddMinutes(-duty.Minutes) : now, isRefused));
        return new ActionOutcome.Join(key, isRefused ? now : now.AddMinutes(duty.Minutes), told.Store(), all);
    }

    // For as long as the next one would wait anyway. A clock that was set back is no reason to wait.
    private static bool IsPatient(TimeSpan waited, OnCallOrder duty) => waited >= TimeSpan.Zero && waited < TimeSpan.FromMinutes(duty.Minutes) && waited < LongestPatience;

    /// <summary>Tells those who were called that there was nothing: everybody in one mail of what they were called for.</summary>
    private async Task<ActionOutcome> TakeBackAsync(Lease lease, CancellationToken cancellation)
    {
        if (await CalledAsync(lease, cancellation) is { Count: 0 })
        {
            return new ActionOutcome.Refused(LeaseCauses.NoRecipients);
        }

        // A group for those of now only: who has been told of these has not been told of what is taken back later.
        var (many, now) = (LeaseGroups.Key(LeaseGroups.Many, lease, lease.Id), clock.GetUtcNow());
        if (lease.GroupKey is null && await groups.DueAsync(lease, Levels.All, null, cancellation) > sender.MostAtOnce)
        {
            await groups.JoinAsync(lease, many, now, Levels.All, sameThing: false, cancellation);
            return new ActionOutcome.Join(many, now);
        }

        IReadOnlyList<Lease> joined = lease.GroupKey is { } group ? await groups.GroupAsync(group, cancellation) : [lease];
        var called = new List<(string Person, Lease Notice)>();
        foreach (var notice in joined)
        {
            if (await CalledAsync(notice, cancellation) is not { } persons)
            {
                return new ActionOutcome.Join(lease.GroupKey ?? many, now + Moment, With: [.. joined.Select(n => n.Id)]);
            }

            called.AddRange(persons.Select(p => (p, notice)));
        }

        var reached = joined.Select(Reached).Aggregate((a, b) => [.. a.Intersect(b, StringComparer.OrdinalIgnoreCase)]);
        foreach (var audience in called.GroupBy(c => c.Person, c => c.Notice, StringComparer.OrdinalIgnoreCase).GroupBy(p => string.Join(' ', p.Select(n => n.Id))))
        {
            IReadOnlyList<Lease> told = [.. audience.First()];
            IReadOnlyList<string> open = [.. audience.Select(p => p.Key).Except(reached, StringComparer.OrdinalIgnoreCase)];
            if (open.Count == 0)
            {
                continue;
            }

            var content = told is [var only] && await findings.FindAsync(only.FindingId!, cancellation) is { } finding
                ? text.Retracted(only, finding)
                : await digests.OfAsync(told, LeaseGroups.Many, cancellation);
            try
            {
                var refused = await sender.SendAsync(told.Count == 1 ? told[0].Id : $"{told[0].Id}.{Lease.IdOf(audience.Key, "", "")}", told[0].CorrelationId, content, open, cancellation);
                reached.AddRange(open.Except(refused.ForNow, StringComparer.OrdinalIgnoreCase));
                if (refused.ForNow.Count > 0)
                {
                    return new ActionOutcome.Retry(refused.Says(open.Count), JsonSerializer.Serialize(reached));
                }
            }
            catch (SmtpException e)
            {
                return new ActionOutcome.Retry(MailSender.Says(e), JsonSerializer.Serialize(reached));
            }
        }

        return new ActionOutcome.Done(Covers: lease.GroupKey is null ? null : [.. called.Select(c => c.Notice.Id).Distinct()]);
    }

    /// <summary>Who was called for what a notice takes back; null while somebody is just being called.</summary>
    private async Task<IReadOnlyList<string>?> CalledAsync(Lease notice, CancellationToken cancellation) =>
        await leases.FindAsync(Lease.IdOf(notice.FindingId!, Name, Target), cancellation) is not { } call ? []
        : call.State == LeaseStates.Running ? null
        : Call.Of([call]).Reached;

    // Of a notice of a retraction: those who have it.
    private static List<string> Reached(Lease notice) => notice.Details.Progress is { } progress ? JsonSerializer.Deserialize<List<string>>(progress)! : [];

    // The key names the level of the finding that opened the call.
    private static int RankOf(string key) => int.Parse(key.Split(' ')[^2], CultureInfo.InvariantCulture);

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);
}
