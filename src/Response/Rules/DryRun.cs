using System.Diagnostics;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Rules;

/// <summary>What rules would have done about past detections, by action. Nothing is done.</summary>
/// <param name="Findings">Detections that were looked at.</param>
/// <param name="Complete">False when there were more, or the time for it was over; then the newest are left out.</param>
/// <param name="Actions">By action; what scripts would have ordered is among it.</param>
/// <param name="Scripts">By script that the rules run.</param>
internal sealed record DryRunView(int Findings, bool Complete, IReadOnlyList<DryRunAction> Actions, IReadOnlyList<ScriptPlayView> Scripts);

/// <summary>What one action would have been ordered for.</summary>
/// <param name="Action">Name.</param>
/// <param name="Ordered">Times it would have been ordered.</param>
/// <param name="Devices">Different devices.</param>
/// <param name="ByItself">Times it would have run by itself.</param>
/// <param name="WaitsForPeople">Times it would have waited for people by its rule.</param>
/// <param name="HeldByGuard">Times the guard would have held it because too much of the field was disturbed.</param>
/// <param name="Impossible">Times it could not have been done: no device, no target.</param>
/// <param name="LaterSteps">Times it would have come later, unless a person had the detection in hand by then.</param>
/// <param name="Examples">Some of the detections.</param>
internal sealed record DryRunAction(
    string Action, int Ordered, int Devices, int ByItself, int WaitsForPeople, int HeldByGuard, int Impossible, int LaterSteps, IReadOnlyList<string> Examples);

/// <summary>Plays rules, and the scripts that they run, over past detections, the guard included. Pure but for what the actions know of their targets.</summary>
internal sealed class DryRun(LeaseOrders orders, IDeviceDirectory directory, GuardSettings guard, LeaseSettings leases)
{
    public const int MostFindings = 20_000;
    private const int MostExamples = 5;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    /// <param name="findings">Oldest first, at most <see cref="MostFindings"/> and one more.</param>
    /// <param name="rules">What is tried.</param>
    /// <param name="fieldId">The field.</param>
    /// <param name="scripts">The scripts that the rules name.</param>
    /// <param name="cancellation">Stops it.</param>
    public DryRunView Of(IReadOnlyList<Finding> findings, IReadOnlyList<ResponseBinding> rules, string fieldId, ScriptPlay scripts, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var past = new Past(findings, orders.Allowed(fieldId), guard.Window);
        var played = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
        var looked = 0;
        foreach (var finding in findings.Take(MostFindings).TakeWhile(_ => Stopwatch.GetElapsedTime(started) < Longest))
        {
            cancellation.ThrowIfCancellationRequested();
            looked++;
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var due in finding.Effect == Effects.Act ? ResponsePolicy.Due(finding, rules) : [])
            {
                Play(finding, due, seen);
                if (due.Script is { } script)
                {
                    var now = finding.RaisedAt + due.After;
                    var device = finding.DeviceId is { } id ? directory.Device(id) : null;
                    var situation = new ScriptSituation(now, device, null, directory.Field(fieldId), past.InForce(finding, now), past.Recent(finding, now));
                    foreach (var order in scripts.Run(script, finding, situation))
                    {
                        Play(finding, order with { After = due.After + order.After }, seen);
                    }
                }
            }
        }

        return new DryRunView(looked, looked == findings.Count, [.. played.Select(p => p.Value.View(p.Key))], scripts.Views);

        void Play(Finding finding, DueAction due, HashSet<string> seen)
        {
            var lease = orders.Of(finding, due);
            if (!seen.Add(lease.Id))
            {
                return;
            }

            if (!played.TryGetValue(due.Action, out var tally))
            {
                played.Add(due.Action, tally = new Tally());
            }

            var at = finding.RaisedAt + due.After;
            var held = (lease.State is LeaseStates.Due or LeaseStates.Planned) && orders.Disturbs(lease) && !past.Allows(orders.Reach(lease), at);
            tally.Add(lease, due, held);
            if (!held && Tally.RunsByItself(lease) && orders.Actions[due.Action] is { CanUndo: true } action)
            {
                past.ComesIntoForce(lease, at, Expiry.Of(action.CanUndo, action.LocksOut, lease.Risk, at, leases.RestrictionLasts));
            }
        }
    }

    private sealed class Tally
    {
        private readonly HashSet<string> _devices = [];
        private readonly List<string> _examples = [];
        private int _ordered;
        private int _byItself;
        private int _waits;
        private int _held;
        private int _impossible;
        private int _later;

        public static bool RunsByItself(Lease lease) => (lease.State is LeaseStates.Due or LeaseStates.Planned) && Approvals.Needed(lease.Approval) == 0;

        public void Add(Lease lease, DueAction due, bool held)
        {
            _ordered++;
            _devices.Add(lease.DeviceId ?? lease.Target);
            _impossible += lease.State == LeaseStates.Refused ? 1 : 0;
            _waits += lease.State != LeaseStates.Refused && Approvals.Needed(lease.Approval) > 0 ? 1 : 0;
            _held += held ? 1 : 0;
            _later += due.After > TimeSpan.Zero ? 1 : 0;
            _byItself += !held && RunsByItself(lease) ? 1 : 0;
            if (_examples.Count < MostExamples)
            {
                _examples.Add(lease.FindingId!);
            }
        }

        public DryRunAction View(string action) => new(action, _ordered, _devices.Count, _byItself, _waits, _held, _impossible, _later, _examples);
    }
}
