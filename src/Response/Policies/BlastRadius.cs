namespace Sekisho.Response.Policies;

/// <summary>Devices of one field that responses have disturbed in the window, and how many they may. One thread at a time.</summary>
/// <param name="disturbed">Targets that were disturbed.</param>
/// <param name="allowed">Most of them.</param>
internal sealed class BlastRadius(IEnumerable<string> disturbed, int allowed)
{
    private readonly HashSet<string> _disturbed = new(disturbed, StringComparer.Ordinal);

    public int Disturbed => _disturbed.Count;

    public int Allowed => allowed;

    /// <summary>Whether one more response may run by itself; then all that it reaches is counted. What is disturbed already does not count again.</summary>
    public bool Allows(IReadOnlyCollection<string> reached)
    {
        var more = reached.Where(t => !_disturbed.Contains(t)).ToList();
        if (more.Count > 0 && _disturbed.Count + more.Count > allowed)
        {
            return false;
        }

        _disturbed.UnionWith(more);
        return true;
    }
}
