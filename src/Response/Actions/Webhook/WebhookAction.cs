using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Notification.Webhooks;

namespace Sekisho.Response.Actions.Webhook;

/// <summary>
/// Posts the finding as JSON to the field's webhooks, signed. Each named webhook gets a response of its own, so that one that is down holds no other back and each can be
/// looked at. Any 2xx is success; the answer's body is not read: the receiver has nothing to say that would matter. Deliveries are at least once; Sekisho-Delivery stays the
/// same. Any thread.
/// </summary>
internal sealed class WebhookAction(
    NotificationStore notifications, HookStore hooks, LeaseStore leases, QueueSignal signal, ReceiverClient receivers, BodyValues values, IDeviceDirectory directory, Texts texts, TimeProvider clock)
    : IResponseAction
{
    private const string Everyone = "webhook";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.Default,
    };

    public string Name => "webhook";

    public bool CanUndo => false;

    public bool LocksOut => false;

    public bool Disturbs => false;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => (Everyone, null);

    public string? Before(Lease lease) => null;

    public Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<PreviewLine>>([]);

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (lease.Target != Everyone)
        {
            return await hooks.FindAsync(lease.FieldId, lease.Target[(Everyone.Length + 1)..], cancellation) is { } hook
                ? await PostAsync(order, hook, cancellation)
                : new ActionOutcome.Refused(LeaseCauses.NoWebhook);
        }

        var named = await hooks.ListAsync(lease.FieldId, cancellation);
        var plain = (await notifications.FindAsync(lease.FieldId, cancellation))?.Webhook;
        if (plain is null && named.Count == 0)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoWebhook);
        }

        // Who was told of a finding by a response of its own is told of its retraction by another one of its own.
        var wanting = named.Where(h => h.Wants(lease.Level, lease.Risk)).ToList();
        if (!lease.Details.TellsRetraction && wanting.Count > 0)
        {
            await OrderAsync(lease, wanting, cancellation);
        }

        return plain is null
            ? new ActionOutcome.Done(Cause: wanting.Count == 0 ? LeaseCauses.NoWebhookWants : null)
            : Outcome(await receivers.SendAsync(
                new ReceiverRequest(HttpMethod.Post, plain.Url, plain.Secret, new Dictionary<string, string>(), lease.Id, JsonSerializer.SerializeToUtf8Bytes(Body(order), Json)), readsAnswer: false, cancellation));
    }

    public Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) => throw new NotSupportedException("A delivery cannot be undone.");

    /// <summary>One response for each webhook, with the lease itself unchanged in one transaction: a finding that is taken back at that moment is not told any more.</summary>
    private async Task OrderAsync(Lease lease, IReadOnlyList<Hook> wanting, CancellationToken cancellation)
    {
        await leases.ChangeAsync(
            lease.Id,
            l => l.Details.Retracted is null ? l : null,
            (l, t) =>
            {
                foreach (var hook in wanting)
                {
                    leases.Insert(Of(l, hook), t);
                }
            },
            cancellation);
        signal.Wake();
    }

    private Lease Of(Lease lease, Hook hook) => lease with
    {
        Id = Lease.IdOf(lease.Id, Name, hook.Id),
        Version = 0,
        Target = $"{Everyone} {hook.Id}",
        State = LeaseStates.Due,
        Approval = Policies.Approvals.Automatic,
        CreatedAt = clock.GetUtcNow(),
        StartedAt = null,
        NextTryAt = clock.GetUtcNow(),
        Attempts = 0,
        ClaimedBy = null,
        Details = new LeaseDetails { Owner = lease.Details.Owner, Actor = "gateway", Notice = lease.Details.Notice },
    };

    private async Task<ActionOutcome> PostAsync(ActionOrder order, Hook hook, CancellationToken cancellation)
    {
        var body = hook.Template is { } template
            ? BodyTemplate.Fill(template, values.Of(order.Lease, order.Finding, hook.Language))
            : JsonSerializer.SerializeToUtf8Bytes(Body(order), Json);
        return Outcome(await receivers.SendAsync(new ReceiverRequest(HttpMethod.Post, hook.Url, hook.Secret, hook.Headers, order.Lease.Id, body), readsAnswer: false, cancellation));
    }

    private static ActionOutcome Outcome(ReceiverAnswer answer) =>
        answer.IsForbidden ? new ActionOutcome.Refused(LeaseCauses.AddressNotAllowed) : answer.IsSuccess ? new ActionOutcome.Done() : new ActionOutcome.Retry(answer.Fault);

    private object Body(ActionOrder order)
    {
        var lease = order.Lease;
        var field = lease.FieldId is { } fieldId ? directory.Field(fieldId) : null;
        var device = lease.DeviceId is { } deviceId ? directory.Device(deviceId) : null;
        var finding = order.Finding;
        return new
        {
            Delivery = lease.Id,
            Type = BodyValues.Kind(lease, finding),
            Retracted = lease.Details is not { TellsRetraction: true, Retracted: { } reason } ? null : new
            {
                Reason = reason,
                At = lease.CreatedAt,
                Text = Texts.Languages.ToDictionary(language => language, language => texts.Get("finding.retracted." + reason, language)),
            },
            lease.CorrelationId,
            Field = lease.FieldId is null ? null : new { Id = lease.FieldId, field?.Name, field?.ContactPoint },
            Device = lease.DeviceId is null ? null : new { Id = lease.DeviceId, device?.Name, device?.Kind },
            Notice = lease.Details.Notice is { } told ? new { told.Name, told.Values } : null,
            Finding = finding is null ? null : new
            {
                finding.Id,
                finding.Condition,
                finding.ConditionKey,
                finding.TemplateId,
                finding.TemplateVersion,
                finding.Scope,
                finding.Risk,
                finding.Threat,
                finding.Level,
                finding.Stage,
                finding.RaisedAt,
                finding.DeviceTime,
                finding.Evidence.Metric,
                finding.Evidence.Unit,
                finding.Evidence.Measured,
                finding.Evidence.ExpectedLow,
                finding.Evidence.ExpectedHigh,
                finding.Evidence.Origin,
                finding.Evidence.Counterfactual,
                finding.Evidence.ExceptionsTried,
                finding.Evidence.Facts,
            },
            Text = Texts.Languages.ToDictionary(
                language => language,
                language => lease.Details.Notice is { } notice
                    ? NoticeText.All(notice, field, texts, language, "\n")
                    : finding is null
                    ? texts.Get("response.test.sentence", language)
                    : FindingSentence.Of(finding, field, device, texts, language)),
        };
    }
}
