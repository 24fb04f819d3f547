using Sekisho.Traffic.Capture;

namespace Sekisho.Sensor.Live;

/// <summary>What is wrong with an interface.</summary>
internal enum MirrorFault
{
    /// <summary>It carries frames.</summary>
    None,

    /// <summary>Not one frame for a while: the mirror port is not set, or the cable is out.</summary>
    Quiet,

    /// <summary>It is down.</summary>
    Down,

    /// <summary>It is gone.</summary>
    Gone,
}

/// <summary>Notices interfaces that carry nothing. One thread at a time.</summary>
/// <param name="quiet">How long without a frame is too long.</param>
/// <param name="start">When watching began, in nanoseconds since 1970.</param>
internal sealed class MirrorWatch(TimeSpan quiet, long start)
{
    private readonly Dictionary<string, MirrorFault> _faults = [];

    /// <summary>Looks at the interfaces, and tells what has changed since the last look.</summary>
    public IReadOnlyList<(string Name, MirrorFault Fault)> Look(IEnumerable<CapturedInterface> interfaces, long now)
    {
        var changes = new List<(string, MirrorFault)>();
        foreach (var one in interfaces)
        {
            var fault = one.State switch
            {
                InterfaceState.Gone => MirrorFault.Gone,
                InterfaceState.Down => MirrorFault.Down,
                _ => now - Math.Max(one.LastFrame ?? start, start) > quiet.Ticks * 100 ? MirrorFault.Quiet : MirrorFault.None,
            };
            if (_faults.GetValueOrDefault(one.Name) != fault)
            {
                changes.Add((one.Name, fault));
            }

            _faults[one.Name] = fault;
        }

        return changes;
    }
}
