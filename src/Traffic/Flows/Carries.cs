namespace Sekisho.Traffic.Flows;

/// <summary>What the short counters of flows have carried over in this interval: one entry after each 65,536 packets of a class (or 4 GiB) in a flow, so never many.</summary>
internal sealed class Carries
{
    private readonly Dictionary<(int Entry, int Counter), long> _carried = [];

    public void Add(int entry, int direction, int counter) =>
        _carried[(entry, At(direction, counter))] = Of(entry, direction, counter) + (counter == FlowCounter.Bytes ? 1L << 32 : 1L << 16);

    public long Of(int entry, int direction, int counter) => _carried.GetValueOrDefault((entry, At(direction, counter)));

    public void Forget(int entry)
    {
        for (var counter = 0; counter < 2 * FlowCounter.Count; counter++)
        {
            _carried.Remove((entry, counter));
        }
    }

    public void Clear() => _carried.Clear();

    private static int At(int direction, int counter) => (direction * FlowCounter.Count) + counter;
}
