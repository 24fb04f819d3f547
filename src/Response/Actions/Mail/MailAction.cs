using System.Globalization;
using System.Net.Mail;
using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Actions.Mail;

/// <summary>
/// Mails a finding to a list of recipients: everyone, or only one role ("mail-administrator", "mail-person-in-charge"). A list gets so many
/// single mails in an hour; what is more waits for the end of the hour and goes out as one summary. Mails are delivered at least once, with the
/// same Message-ID at each try. Any thread; one at a time per list.
/// </summary>
internal sealed class MailAction(MailList list, NotificationStore notifications, LeaseStore leases, MailText text, MailSender sender, TimeProvider clock)
    : IResponseAction
{
    private static readonly TimeSpan GatherFor = TimeSpan.FromMinutes(1);

    public string Name => list.Role is null ? "mail" : "mail-" + list.Role;

    public bool CanUndo => false;

    public bool LocksOut => false;

    public bool Disturbs => false;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => (list.Role ?? "everyone", null);

    public string? Before(Lease lease) => null;

    public Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<PreviewLine>>([]);

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (sender.Obstacle is { } obstacle)
        {
            return new ActionOutcome.Refused(obstacle);
        }

        var recipients = (await notifications.FindAsync(lease.FieldId, cancellation))?.Recipients
            .Where(r => list.Role is null || r.Role == list.Role).Select(r => r.Address).Concat(lease.Details.Notice?.AlsoTo ?? []).Distinct(StringComparer.OrdinalIgnoreCase).ToList()
            ?? [.. lease.Details.Notice?.AlsoTo ?? []];
        if (recipients.Count == 0)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoRecipients);
        }

        if (lease.GroupKey is { } group)
        {
            return await SendSummaryAsync(lease, group, recipients, cancellation);
        }

        var hour = Hour(clock.GetUtcNow());
        if (await leases.DoneSinceAsync(lease, hour, cancellation) >= sender.MostPerHour)
        {
            var key = $"{lease.Action} {lease.FieldId} {lease.Target} {hour.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)}";
            await leases.JoinAsync(lease, key, hour.AddHours(1), cancellation);
            return new ActionOutcome.Join(key, hour.AddHours(1));
        }

        // Many at once are one event for people: they are told together, a moment later, the first of them alone being too early to tell.
        if (lease.Details.Notice is null && await leases.DueAsync(lease, cancellation) > sender.MostAtOnce)
        {
            var until = clock.GetUtcNow() + GatherFor;
            var burst = $"{lease.Action} {lease.FieldId} {lease.Target} {until.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)}";
            await leases.JoinAsync(lease, burst, until, cancellation);
            return new ActionOutcome.Join(burst, until);
        }

        var content = lease.Details.Notice is { } notice ? text.Notice(lease, notice)
            : order.Finding is not { } finding ? text.Test(lease)
            : lease.Details is { TellsRetraction: true, Retracted: { } reason } ? text.Retracted(lease, finding, reason)
            : text.Of(lease, finding);
        return await SendAsync(lease, content, recipients, null, cancellation);
    }

    public Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) => throw new NotSupportedException("A mail cannot be taken back.");

    private async Task<ActionOutcome> SendSummaryAsync(Lease lease, string group, List<string> recipients, CancellationToken cancellation)
    {
        var joined = await leases.GroupAsync(group, cancellation);
        return await SendAsync(lease, await text.SummaryAsync(joined, cancellation), recipients, [.. joined.Select(l => l.Id)], cancellation);
    }

    /// <summary>Sends to those that do not have it from an earlier try.</summary>
    private async Task<ActionOutcome> SendAsync(Lease lease, MailContent content, List<string> recipients, IReadOnlyList<string>? covers, CancellationToken cancellation)
    {
        var reached = lease.Details.Progress is { } progress ? JsonSerializer.Deserialize<List<string>>(progress)! : [];
        var open = recipients.Except(reached, StringComparer.OrdinalIgnoreCase).ToList();
        if (open.Count == 0)
        {
            return new ActionOutcome.Done(Cause: covers is null ? null : LeaseCauses.InSummary, Covers: covers);
        }

        try
        {
            var refused = await sender.SendAsync(lease.Id, lease.CorrelationId, content, open, cancellation);
            if (refused.Count == 0)
            {
                return new ActionOutcome.Done(Cause: covers is null ? null : LeaseCauses.InSummary, Covers: covers);
            }

            reached.AddRange(open.Except(refused, StringComparer.OrdinalIgnoreCase));
            return new ActionOutcome.Retry($"The mail server refused {refused.Count} of {open.Count} recipients; the others have the mail.", JsonSerializer.Serialize(reached));
        }
        catch (SmtpException e)
        {
            // The server's own words may contain addresses; the status and the kind of fault beneath say enough.
            return new ActionOutcome.Retry($"The mail server did not take the mail ({e.StatusCode}{(e.InnerException is { } inner ? ", " + inner.GetType().Name : "")}).");
        }
    }

    private static DateTimeOffset Hour(DateTimeOffset at) => new(at.Year, at.Month, at.Day, at.Hour, 0, 0, TimeSpan.Zero);
}

/// <summary>Which of a field's recipients a mail goes to.</summary>
/// <param name="Role">One of <see cref="RecipientRoles"/>; null for everyone.</param>
internal sealed record MailList(string? Role);
