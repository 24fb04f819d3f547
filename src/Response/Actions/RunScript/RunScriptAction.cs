using System.Data.Common;
using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Signatures;
using Sekisho.Response.Leases;
using Sekisho.Storage;

namespace Sekisho.Response.Actions.RunScript;

/// <summary>
/// Runs a response script of the field; what it orders becomes responses of their own in the transaction that records the run, so that a run that was cut off ordered nothing,
/// and one that was recorded ordered all. A version on trial runs beside it and only leaves a record. Any thread.
/// </summary>
internal sealed class RunScriptAction(
    ScriptStore scripts, IFileSignatures signatures, IDeviceDirectory directory, IFindings findings, LeaseStore leases, DeviceModes modes) : IResponseAction
{
    /// <summary>Name of the action; the lease's target is the name of the script.</summary>
    public const string ActionName = "run-script";

    public string Name => ActionName;

    public bool CanUndo => false;

    public bool LocksOut => false;

    public bool Disturbs => false;

    public bool Destroys => false;

    // Only its orders tell anybody anything, and they are taken back one by one.
    public bool Tells => false;

    // Which script is said by the rule.
    public (string? Target, string? Refusal) TargetOf(Finding finding) => (null, LeaseCauses.NoScript);

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        var book = order.Finding is null ? null : await BookAsync(order.Lease, cancellation);
        if ((book?.Active ?? book?.Trial) is not { } version)
        {
            return [new("response.preview.script-not-active", ("script", order.Lease.Target))];
        }

        var situation = await SituationAsync(order.Lease, order.Finding!, order.Lease.StartedAt ?? order.Lease.CreatedAt, cancellation);
        var (answer, _) = Run(version, ScriptInput.Of(order.Finding!, situation));
        var number = version.Version.ToString(CultureInfo.InvariantCulture);
        return answer switch
        {
            { Fault: { } fault } => [new("response.preview.script-fault", ("script", order.Lease.Target), ("version", number), ("fault", fault))],
            { Orders.Count: 0 } => [new("response.preview.script-nothing", ("script", order.Lease.Target), ("version", number))],
            _ => [.. answer.Orders.Select(o => new PreviewLine(
                book!.Active is null ? "response.preview.script-would-order" : "response.preview.script-orders",
                ("script", order.Lease.Target), ("version", number), ("action", "response.action." + o.Action), ("after", ((long)o.After.TotalSeconds).ToString(CultureInfo.InvariantCulture)), ("reason", o.Reason ?? "-")))],
        };
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var (lease, finding) = (order.Lease, order.Finding!);
        ScriptBook book;
        try
        {
            book = await BookAsync(lease, cancellation);
        }
        catch (StorageException)
        {
            // Damaged, or written by other means: nobody knows what it would order.
            return Failed(null, LeaseCauses.ScriptUnreadable, "the script cannot be read", null);
        }

        if (book.Active is null && book.Trial is null)
        {
            return Failed(null, book.Versions.Count == 0 ? LeaseCauses.NoScript : LeaseCauses.ScriptNotActive, "no version is active", null);
        }

        // The recorded start, not the clock: a repeat after a kill sees the same hour.
        var now = lease.StartedAt ?? lease.CreatedAt;
        var input = ScriptInput.Of(finding, await SituationAsync(lease, finding, now, cancellation));
        var records = new List<ScriptRunRecord>();
        if (book.Trial is { } tried)
        {
            records.Add(Record(tried, Run(tried, input).Answer, trial: true));
        }

        Action<DbTransaction> along = t => records.ForEach(r => scripts.Add(lease.FieldId!, r, t));
        if (book.Active is not { } active)
        {
            return new ActionOutcome.Done(Cause: LeaseCauses.ScriptOnTrial) { Along = along };
        }

        var (answer, refusal) = Run(active, input);
        records.Add(Record(active, answer, trial: false));
        if (answer.Fault is { } fault)
        {
            return Failed(active, refusal ?? LeaseCauses.ScriptFault, fault, along);
        }

        var owner = FormattableString.Invariant($"script {lease.Target} v{active.Version}");
        return new ActionOutcome.Done(Cause: answer.Orders.Count == 0 ? LeaseCauses.ScriptOrderedNothing : null)
        {
            Along = along,
            Orders = new ScriptedOrders(finding, [.. answer.Orders.Select(o => o with { Owner = owner })]),
        };

        ScriptRunRecord Record(ScriptVersion version, ScriptAnswer given, bool trial) => new(
            lease.Target, version.Version, finding.Id, now, trial, [.. given.Orders.Select(ScriptOrder.Of)], given.Log, given.Fault, given.Instructions);
    }

    public Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) => Task.FromResult<string?>(null);

    private static ActionOutcome.Refused Failed(ScriptVersion? version, string cause, string error, Action<DbTransaction>? along) => new(cause)
    {
        Error = error,
        Fault = version is null ? error : FormattableString.Invariant($"v{version.Version}: {error}"),
        Along = along,
    };

    private Task<ScriptBook> BookAsync(Lease lease, CancellationToken cancellation) =>
        lease.FieldId is { } field ? scripts.BookAsync(field, lease.Target, cancellation) : Task.FromResult(new ScriptBook(lease.Target, [], []));

    private async Task<ScriptSituation> SituationAsync(Lease lease, Finding finding, DateTimeOffset now, CancellationToken cancellation)
    {
        var device = finding.DeviceId;
        var recent = device is null ? [] : await findings.RecentAsync(lease.FieldId!, device, now - ScriptInput.Back, now, ScriptInput.MostCounted + 1, cancellation);
        var inForce = device is null ? [] : await leases.InForceAsync(device, cancellation);
        return new ScriptSituation(
            now,
            device is null ? null : directory.Device(device),
            device is null ? null : modes.Of(device),
            directory.Field(lease.FieldId!),
            [.. inForce.Where(l => l.Action != ActionName).Select(l => new ScriptMeasure(l.Action, l.State, l.StartedAt ?? l.CreatedAt, l.ExpiresAt))],
            [.. recent.Where(f => f.Id != finding.Id).Take(ScriptInput.MostCounted)]);
    }

    /// <summary>Runs a version. Its signature is looked at each time: a key that is trusted no more takes its scripts with it.</summary>
    private (ScriptAnswer Answer, string? Refusal) Run(ScriptVersion version, ReadOnlyMemory<byte> input)
    {
        if (signatures.Verify(version.Text, out var body, out var signer) is not SignatureVerdict.Good)
        {
            return (new ScriptAnswer([], [], $"the key {signer} is not trusted any more", 0), LeaseCauses.ScriptUnreadable);
        }

        using var script = ResponseScript.Open(body, out var faults);
        return (script?.Run(input) ?? new ScriptAnswer([], [], string.Join("; ", faults.Select(f => f.Place + " " + f.Key)), 0), null);
    }
}
