using System.Globalization;
using System.Net.Mail;
using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Actions.Mail;

/// <summary>
/// Mails a finding to a list of recipients: everyone, or only one role ("mail-administrator", "mail-person-in-charge"). What is below the highest
/// level waits for the end of the quiet hours and for each reader's own hours, and then comes as one digest. A list gets so many single mails in
/// an hour; what is more waits for the end of the hour. The highest level never waits for hours, and a minute at most to be joined with more of it.
/// Mails are delivered at least once, with the same Message-ID at each try. An address that is refused for good does not keep a mail from being done that
/// others have; it is shown. Any thread; one at a time per list.
/// </summary>
internal sealed class MailAction(
    MailList list, NotificationStore notifications, GroupStore groups, IDeviceDirectory directory, MailText text, DigestText digests, MailSender sender, TimeProvider clock) : IResponseAction
{
    private static readonly TimeSpan GatherFor = TimeSpan.FromMinutes(1);
    private static readonly IReadOnlyList<string> Highest = [Levels.Critical];
    private static readonly IReadOnlyList<string> Below = [.. Levels.All.Where(l => l != Levels.Critical)];

    public string Name => list.Role is null ? "mail" : "mail-" + list.Role;

    public bool CanUndo => false;

    public bool LocksOut => false;

    public bool Disturbs => false;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => (list.Role ?? "everyone", null);

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        var settings = await notifications.FindAsync(order.Lease.FieldId, cancellation);
        var recipients = Recipients(settings, [order.Lease]);
        var (field, now) = (FieldOf(order.Lease), clock.GetUtcNow());
        var times = new ContactTimes(settings?.Times, field);
        var urgent = IsUrgent(order.Lease);
        var audience = urgent ? Everybody(recipients) : times.Split(recipients, now);
        return !urgent && times.QuietUntil(now) is { } quiet ? [new PreviewLine("response.preview.mail-quiet", ("until", FindingSentence.Time(quiet, field)))]
            : audience.LaterAt is { } later ? [Told(), new PreviewLine("response.preview.mail-later", ("count", Whole(audience.Later.Count)), ("until", FindingSentence.Time(later, field)))]
            : [Told()];

        PreviewLine Told() => new("response.preview.mail", ("count", Whole(audience.Now.Count)));
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (sender.Obstacle is { } obstacle)
        {
            return new ActionOutcome.Refused(obstacle);
        }

        var settings = await notifications.FindAsync(lease.FieldId, cancellation);
        var joined = lease.GroupKey is { } group ? await groups.GroupAsync(group, cancellation) : [lease];
        var recipients = Recipients(settings, joined);
        if (recipients.Count == 0)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoRecipients);
        }

        var now = clock.GetUtcNow();
        var urgent = joined.Any(IsUrgent);
        var times = new ContactTimes(settings?.Times, FieldOf(lease));
        if (!urgent && times.QuietUntil(now) is { } quietUntil)
        {
            return await WaitAsync(lease, LeaseGroups.Quiet, quietUntil, Below, cancellation);
        }

        var audience = urgent ? Everybody(recipients) : times.Split(recipients, now);
        var reached = joined.Select(Reached).Aggregate((a, b) => [.. a.Intersect(b, StringComparer.OrdinalIgnoreCase)]);
        var later = audience.Later.Except(reached, StringComparer.OrdinalIgnoreCase).ToList();
        if (later.Count > 0 && !audience.Now.Except(reached, StringComparer.OrdinalIgnoreCase).Any())
        {
            return await WaitAsync(lease, reached.Count == 0 ? LeaseGroups.Hours : LeaseGroups.Later, audience.LaterAt!.Value, Below, cancellation);
        }

        if (LeaseGroups.Why(lease.GroupKey) is null or LeaseGroups.Same && lease.Level.Length > 0)
        {
            if (await GatheredAsync(lease, settings?.Times?.SameMinutes ?? 0, urgent, now, cancellation) is { } wait)
            {
                return wait;
            }

            // What tells of the same right now is told with it.
            joined = lease.GroupKey is null && IsRepeatable(lease) ? [lease, .. await groups.GroupAsync(SameKey(lease), cancellation)] : joined;
        }

        var content = joined.Count > 1 || lease.GroupKey is { } key && LeaseGroups.Why(key) != LeaseGroups.Same
            ? await digests.OfAsync(joined, LeaseGroups.Why(lease.GroupKey) ?? LeaseGroups.Same, cancellation)
            : lease.Details.Notice is { } notice ? text.Notice(lease, notice)
            : order.Finding is not { } finding ? text.Test(lease)
            : lease.Details is { TellsRetraction: true, Retracted: { } reason } ? text.Retracted(lease, finding, reason)
            : text.Of(lease, finding);
        return await SendAsync(lease, joined, content, audience with { Later = later }, reached, cancellation);
    }

    public Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) => throw new NotSupportedException("A mail cannot be taken back.");

    /// <summary>It waits, and with it all that waits for the same.</summary>
    private async Task<ActionOutcome> WaitAsync(Lease lease, string why, DateTimeOffset until, IReadOnlyCollection<string> levels, CancellationToken cancellation)
    {
        var key = LeaseGroups.Key(why, lease, until);
        if (lease.GroupKey is { } group)
        {
            await groups.MoveAsync(group, key, until, cancellation);
        }
        else if (why != LeaseGroups.Later)
        {
            await groups.JoinAsync(lease, key, until, levels, sameThing: false, cancellation);
        }

        return new ActionOutcome.Join(key, until);
    }

    /// <summary>Whether it is told together with others, later: the same was told a moment ago, an hour's mails are used up, or there are many at once.</summary>
    private async Task<ActionOutcome?> GatheredAsync(Lease lease, int sameMinutes, bool urgent, DateTimeOffset now, CancellationToken cancellation)
    {
        var levels = urgent ? Highest : Below;
        string? same = null;
        if (lease.GroupKey is null && sameMinutes > 0 && IsRepeatable(lease))
        {
            same = SameKey(lease);
            var window = TimeSpan.FromMinutes(sameMinutes);
            var told = await groups.LastToldAsync(lease, [.. Levels.All.Skip(Levels.Rank(lease.Level))], now - window, cancellation);
            var again = told is { Details.TellsRetraction: false } ? (told.EndedAt ?? told.StartedAt)!.Value + window : now;
            await groups.JoinAsync(lease, same, again, [.. Levels.All.Take(Levels.Rank(lease.Level) + 1).Intersect(levels)], sameThing: true, cancellation);

            // A clock that was set back must not make it wait for longer than the window.
            if (again > now && again <= now + window)
            {
                return new ActionOutcome.Join(same, again);
            }
        }

        var hour = new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 0, 0, TimeSpan.Zero);
        if (await groups.DoneSinceAsync(lease, hour, cancellation) >= sender.MostPerHour)
        {
            return await ManyAsync(urgent ? now + GatherFor : hour.AddHours(1));
        }

        // Many at once are one event for people: they are told together, a moment later, the first of them alone being too early to tell.
        return lease.Details.Notice is null && await groups.DueAsync(lease, levels, same ?? lease.GroupKey, cancellation) + (lease.GroupKey is null ? 0 : 1) > sender.MostAtOnce ? await ManyAsync(now + GatherFor) : null;

        async Task<ActionOutcome> ManyAsync(DateTimeOffset until)
        {
            var key = LeaseGroups.Key(LeaseGroups.Many, lease, until);
            if (lease.GroupKey is { } group)
            {
                await groups.MoveAsync(group, key, until, cancellation);
            }

            await groups.JoinAsync(lease, key, until, levels, sameThing: false, cancellation);
            return new ActionOutcome.Join(key, until);
        }
    }

    /// <summary>Sends to those that do not have it from an earlier try.</summary>
    private async Task<ActionOutcome> SendAsync(Lease lease, IReadOnlyList<Lease> joined, MailContent content, Audience audience, IReadOnlyList<string> reached, CancellationToken cancellation)
    {
        IReadOnlyList<string>? with = lease.GroupKey is null && joined.Count == 1 ? null : [.. joined.Select(l => l.Id)];
        var open = audience.Now.Except(reached, StringComparer.OrdinalIgnoreCase).ToList();
        var has = reached.ToList();
        IReadOnlyList<string> refusedForGood = [];
        if (open.Count > 0)
        {
            try
            {
                var refused = await sender.SendAsync(MailSender.IdOf(lease), lease.CorrelationId, content, open, cancellation);
                has.AddRange(open.Except(refused.All, StringComparer.OrdinalIgnoreCase));
                if (refused.ForNow.Count > 0 || (has.Count == 0 && audience.Later.Count == 0))
                {
                    return new ActionOutcome.Retry(refused.Says(open.Count), JsonSerializer.Serialize(has));
                }

                refusedForGood = refused.ForGood;
            }
            catch (SmtpException e)
            {
                return new ActionOutcome.Retry(MailSender.Says(e));
            }
        }

        if (audience.Later.Count == 0)
        {
            return new ActionOutcome.Done(Cause: refusedForGood.Count > 0 ? LeaseCauses.SomeRefused : with is null ? null : LeaseCauses.InSummary, Covers: with)
            {
                RefusedAddresses = [.. refusedForGood.Select(NotificationView.MaskAddress)],
            };
        }

        var until = audience.LaterAt!.Value;
        return new ActionOutcome.Join(LeaseGroups.Key(LeaseGroups.Later, lease, until), until, JsonSerializer.Serialize(has), with);
    }

    private IReadOnlyList<Recipient> Recipients(NotificationSettings? settings, IReadOnlyList<Lease> joined) =>
    [
        .. (settings?.Recipients ?? []).Where(r => list.Role is null || r.Role == list.Role),
        .. joined.SelectMany(l => l.Details.Notice?.AlsoTo ?? []).Select(address => new Recipient(address, RecipientRoles.Administrator)),
    ];

    private FieldProfile? FieldOf(Lease lease) => lease.FieldId is { } id ? directory.Field(id) : null;

    private static Audience Everybody(IReadOnlyList<Recipient> recipients) => new([.. recipients.Select(r => r.Address).Distinct(StringComparer.OrdinalIgnoreCase)], [], null);

    // Tests have no level: a person waits for them.
    private static bool IsUrgent(Lease lease) => lease.Level is Levels.Critical or "";

    private static bool IsRepeatable(Lease lease) => lease is { DeviceId: not null, FindingId: not null, Details: { TellsRetraction: false, Notice: null } };

    private static string SameKey(Lease lease) => LeaseGroups.Key(LeaseGroups.Same, lease, $"{lease.DeviceId} {lease.Condition}");

    private static List<string> Reached(Lease lease) => lease.Details.Progress is { } progress ? JsonSerializer.Deserialize<List<string>>(progress)! : [];

    private static string Whole(int count) => count.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Which of a field's recipients a mail goes to.</summary>
/// <param name="Role">One of <see cref="RecipientRoles"/>; null for everyone.</param>
internal sealed record MailList(string? Role);
