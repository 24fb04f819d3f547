using System.Data.Common;
using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Notification.Webhooks;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Orders;

/// <summary>Tells a field's administrators something about the responses themselves, by mail and webhook. Any thread.</summary>
/// <param name="leases">The queue that they go through.</param>
/// <param name="notifications">Who is to be told.</param>
/// <param name="hooks">Further ways.</param>
/// <param name="clock">Time.</param>
internal sealed class Notices(LeaseStore leases, NotificationStore notifications, HookStore hooks, TimeProvider clock)
{
    /// <summary>Texts of notices.</summary>
    public static class Names
    {
        public const string Guard = "guard";
        public const string ApprovalWaits = "approval-waits";
        public const string ApprovalRanOut = "approval-ran-out";
        public const string StillLocked = "still-locked";
        public const string NobodyAcknowledged = "nobody-acknowledged";
        public const string NobodyReached = "nobody-reached";
        public const string Emergency = "emergency";
        public const string EmergencyHolds = "emergency-holds";
        public const string EmergencyEnded = "emergency-ended";
        public const string Rehearsal = "rehearsal";
        public const string RulesChanged = "rules-changed";
        public const string RulesUnreadable = "rules-unreadable";
        public const string SecretNotRenewed = "secret-not-renewed";
        public const string ScriptChanged = "script-changed";
        public const string ScriptFault = "script-fault";
    }

    /// <summary>A cause that comes once an hour.</summary>
    public static string Hour(DateTimeOffset now) => (now.ToUnixTimeSeconds() / 3600).ToString(CultureInfo.InvariantCulture);

    /// <summary>Puts a notice into the queue in the caller's transaction; one with the same cause is there once.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="cause">What tells this notice from others of its name.</param>
    /// <param name="level">One of <see cref="Levels"/>.</param>
    /// <param name="about">The lease it is about; null for more.</param>
    /// <param name="correlationId">What caused it.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="values">Values of the text.</param>
    public void Tell(string? fieldId, string name, string cause, string level, Lease? about, string correlationId, DbTransaction transaction, params ReadOnlySpan<(string Name, string Value)> values) =>
        Tell(fieldId, new LeaseNotice(name, values.ToArray().ToDictionary(v => v.Name, v => v.Value, StringComparer.Ordinal)), cause, level, about, correlationId, transaction);

    /// <summary>A notice about a response, whose text has places for {action} and {response}.</summary>
    public static LeaseNotice About(string name, Lease lease, params ReadOnlySpan<(string Name, string Value)> values) =>
        new(name, ((IEnumerable<(string Name, string Value)>)[("response", lease.Id), .. values]).ToDictionary(v => v.Name, v => v.Value, StringComparer.Ordinal))
        {
            Texts = new Dictionary<string, string> { ["action"] = "response.action." + lease.Action },
        };

    /// <summary>The same for a notice that is made already.</summary>
    public void Tell(string? fieldId, LeaseNotice notice, string cause, string level, Lease? about, string correlationId, DbTransaction transaction)
    {
        var settings = notifications.Find(fieldId, transaction);

        // A field that names no administrator shows it as a refused mail; a webhook is a further way for those who have one.
        leases.Insert(Notice(fieldId, "mail-administrator", notice, cause, level, about, correlationId), transaction);
        if (settings?.Webhook is not null || hooks.List(fieldId, transaction).Count > 0)
        {
            leases.Insert(Notice(fieldId, "webhook", notice, cause, level, about, correlationId), transaction);
        }
    }

    /// <summary>Says that a response waits for people, by the guard or by its own approval; nothing for one that does not wait. One notice an hour and level, however many wait: a storm must not become a storm of mail.</summary>
    public void TellWaiting(Lease lease, int disturbed, int allowed, DbTransaction transaction)
    {
        if (lease.State != LeaseStates.WaitingApproval)
        {
            return;
        }

        var hour = Hour(clock.GetUtcNow());
        if (lease.Details.Cause == LeaseCauses.BlastRadius)
        {
            Tell(
                lease.FieldId, Names.Guard, hour, Levels.Critical, null, lease.CorrelationId, transaction,
                ("disturbed", disturbed.ToString(CultureInfo.InvariantCulture)), ("allowed", allowed.ToString(CultureInfo.InvariantCulture)));
        }
        else
        {
            Tell(lease.FieldId, About(Names.ApprovalWaits, lease), $"{hour} {lease.Level}", lease.Level, null, lease.CorrelationId, transaction);
        }
    }

    private Lease Notice(string? fieldId, string way, LeaseNotice notice, string cause, string level, Lease? about, string correlationId)
    {
        var now = clock.GetUtcNow();
        return new Lease
        {
            Id = Lease.IdOf($"notice\n{fieldId}\n{notice.Name}\n{cause}", way, way),
            FieldId = fieldId,
            DeviceId = about?.DeviceId,
            Action = way,
            Target = way == "webhook" ? "webhook" : "administrator",
            State = LeaseStates.Due,
            Risk = about?.Risk ?? "",
            Level = level,
            Condition = "",
            Approval = Approvals.Automatic,
            CreatedAt = now,
            NextTryAt = now,
            CorrelationId = correlationId,
            Details = new LeaseDetails { Owner = "policy", Actor = "gateway", Notice = notice },
        };
    }
}
