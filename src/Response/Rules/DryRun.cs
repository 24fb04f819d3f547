using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Policies;
using Sekisho.Response.Orders;

namespace Sekisho.Response.Rules;

/// <summary>What rules would have done about past detections, by action. Nothing is done.</summary>
/// <param name="Findings">Detections that were looked at.</param>
/// <param name="Complete">False when there were more; then the newest are left out.</param>
/// <param name="Actions">By action.</param>
internal sealed record DryRunView(int Findings, bool Complete, IReadOnlyList<DryRunAction> Actions);

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

/// <summary>Plays rules over past detections, the guard included. Pure but for what the actions know of their targets.</summary>
internal sealed class DryRun(LeaseOrders orders, GuardSettings guard)
{
    public const int MostFindings = 20_000;
    private const int MostExamples = 5;

    /// <param name="findings">Oldest first, at most <see cref="MostFindings"/> and one more.</param>
    /// <param name="rules">What is tried.</param>
    /// <param name="fieldId">The field.</param>
    public DryRunView Of(IReadOnlyList<Finding> findings, IReadOnlyList<ResponseBinding> rules, string fieldId)
    {
        var allowed = orders.Allowed(fieldId);
        var disturbed = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var played = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
        foreach (var finding in findings.Take(MostFindings).Where(f => f.Effect == Effects.Act))
        {
            foreach (var due in ResponsePolicy.Due(finding, rules))
            {
                var lease = orders.Of(finding, due);
                if (!played.TryGetValue(due.Action, out var tally))
                {
                    played.Add(due.Action, tally = new Tally());
                }

                tally.Add(lease, due, held: (lease.State is LeaseStates.Due or LeaseStates.Planned) && orders.Disturbs(lease) && !Allows(lease, finding.RaisedAt + due.After));
            }
        }

        return new DryRunView(
            Math.Min(findings.Count, MostFindings),
            findings.Count <= MostFindings,
            [.. played.Select(p => p.Value.View(p.Key))]);

        bool Allows(Lease lease, DateTimeOffset at)
        {
            foreach (var past in disturbed.Where(d => d.Value <= at - guard.Window).Select(d => d.Key).ToList())
            {
                disturbed.Remove(past);
            }

            var reached = orders.Reach(lease);
            if (!new BlastRadius(disturbed.Keys, allowed).Allows(reached))
            {
                return false;
            }

            foreach (var target in reached)
            {
                disturbed[target] = at;
            }

            return true;
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

        public void Add(Lease lease, DueAction due, bool held)
        {
            _ordered++;
            _devices.Add(lease.DeviceId ?? lease.Target);
            _impossible += lease.State == LeaseStates.Refused ? 1 : 0;
            _waits += lease.State != LeaseStates.Refused && Approvals.Needed(lease.Approval) > 0 ? 1 : 0;
            _held += held ? 1 : 0;
            _later += due.After > TimeSpan.Zero ? 1 : 0;
            _byItself += !held && (lease.State is LeaseStates.Due or LeaseStates.Planned) && Approvals.Needed(lease.Approval) == 0 ? 1 : 0;
            if (_examples.Count < MostExamples)
            {
                _examples.Add(lease.FindingId!);
            }
        }

        public DryRunAction View(string action) => new(action, _ordered, _devices.Count, _byItself, _waits, _held, _impossible, _later, _examples);
    }
}
