using Sekisho.Domain.Detection;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Leases;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Rules;

/// <summary>The world as it would have been while past detections are played: who is disturbed, what is in force, what was found lately. One dry run.</summary>
internal sealed class Past
{
    private readonly int _allowed;
    private readonly TimeSpan _window;
    private readonly Dictionary<string, DateTimeOffset> _disturbed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<ScriptMeasure>> _inForce = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Finding>> _byDevice;

    /// <param name="findings">Everything that was found.</param>
    /// <param name="allowed">Devices that responses may disturb in the window.</param>
    /// <param name="window">The guard's window.</param>
    public Past(IReadOnlyList<Finding> findings, int allowed, TimeSpan window)
    {
        (_allowed, _window) = (allowed, window);
        _byDevice = findings.Where(f => f is { DeviceId: not null, Effect: Effects.Act }).GroupBy(f => f.DeviceId!).ToDictionary(g => g.Key, g => g.OrderBy(f => f.RaisedAt).ThenBy(f => f.Position).ToList());
    }

    /// <summary>Whether the guard lets one more be disturbed at that time; then it is counted.</summary>
    public bool Allows(IReadOnlyCollection<string> reached, DateTimeOffset at)
    {
        foreach (var past in _disturbed.Where(d => d.Value <= at - _window).Select(d => d.Key).ToList())
        {
            _disturbed.Remove(past);
        }

        if (!new BlastRadius(_disturbed.Keys, _allowed).Allows(reached))
        {
            return false;
        }

        foreach (var target in reached)
        {
            _disturbed[target] = at;
        }

        return true;
    }

    /// <summary>A response would have come into force.</summary>
    public void ComesIntoForce(Lease lease, DateTimeOffset at, DateTimeOffset? ends)
    {
        if (lease.DeviceId is { } device)
        {
            if (!_inForce.TryGetValue(device, out var all))
            {
                _inForce.Add(device, all = []);
            }

            // Of one action the newest says until when.
            all.RemoveAll(m => m.Action == lease.Action);
            all.Add(new ScriptMeasure(lease.Action, LeaseStates.Done, at, ends));
        }
    }

    /// <summary>What would have been in force for the finding's device.</summary>
    public IReadOnlyList<ScriptMeasure> InForce(Finding finding, DateTimeOffset now) =>
        finding.DeviceId is { } device && _inForce.TryGetValue(device, out var all) ? [.. all.Where(m => m.Since <= now && (m.Ends is null || m.Ends > now)).OrderByDescending(m => m.Since)] : [];

    /// <summary>Other findings about the same device in the day before, newest first.</summary>
    public IReadOnlyList<Finding> Recent(Finding finding, DateTimeOffset now)
    {
        var recent = new List<Finding>();
        if (finding.DeviceId is null || !_byDevice.TryGetValue(finding.DeviceId, out var all))
        {
            return recent;
        }

        for (var i = After(all, now) - 1; i >= 0 && all[i].RaisedAt >= now - ScriptInput.Back && recent.Count < ScriptInput.MostCounted; i--)
        {
            if (all[i].Id != finding.Id)
            {
                recent.Add(all[i]);
            }
        }

        return recent;
    }

    // Index of the first that was raised later.
    private static int After(List<Finding> all, DateTimeOffset now)
    {
        var (low, high) = (0, all.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = all[middle].RaisedAt <= now ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
