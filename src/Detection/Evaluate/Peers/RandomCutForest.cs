namespace Sekisho.Detection.Evaluate.Peers;

/// <summary>
/// Robust random cut forest (Guha, Mishra, Roy and Schrijvers 2016, ICML): trees of random cuts over a uniform sample of what was seen; the
/// score is the collusive displacement of the new point, averaged over the trees. 50 trees of 256 points.
/// </summary>
/// <param name="width">Values in a row that make a point.</param>
internal sealed class RandomCutForest(int width) : IPeer
{
    private const int Trees = 50;
    private const int Sample = 256;
    private readonly List<double> _recent = [];
    private readonly CutTree[] _trees = [.. Enumerable.Range(1, Trees).Select(i => new CutTree(new Chance((ulong)i)))];
    private readonly List<CutNode>[] _samples = [.. Enumerable.Range(0, Trees).Select(_ => new List<CutNode>(Sample))];
    private readonly Chance _chance = new(1_234_567);
    private int _seen;

    public double Score(double value)
    {
        _recent.Add(value);
        if (_recent.Count > width)
        {
            _recent.RemoveAt(0);
        }

        if (_recent.Count < width)
        {
            return 0;
        }

        _seen++;
        var point = _recent.ToArray();
        var sum = 0.0;
        for (var i = 0; i < Trees; i++)
        {
            var leaf = _trees[i].Insert(point);
            sum += CutTree.Displacement(leaf);
            Keep(_trees[i], _samples[i], leaf);
        }

        var score = sum / Trees;
        return score / (Sample + score);
    }

    /// <summary>Reservoir sampling: every point seen is in the sample with the same chance.</summary>
    private void Keep(CutTree tree, List<CutNode> sample, CutNode leaf)
    {
        if (sample.Count < Sample)
        {
            sample.Add(leaf);
            return;
        }

        var slot = (int)(_chance.Next() * _seen);
        if (slot < Sample)
        {
            (sample[slot], leaf) = (leaf, sample[slot]);
        }

        tree.Remove(leaf);
    }
}
