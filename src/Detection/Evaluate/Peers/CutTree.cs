namespace Sekisho.Detection.Evaluate.Peers;

/// <summary>One tree of a random cut forest, with insertion and removal that keep its distribution.</summary>
internal sealed class CutTree(Chance chance)
{
    private CutNode? _root;

    /// <summary>Adds a point; the leaf that holds it.</summary>
    public CutNode Insert(double[] point)
    {
        var leaf = new CutNode(point, point);
        if (_root is null)
        {
            _root = leaf;
            return leaf;
        }

        var node = _root;
        while (true)
        {
            if (node.IsLeaf && node.Low.AsSpan().SequenceEqual(point))
            {
                Count(node, 1);
                return node;
            }

            var (dimension, cut) = Draw(node, point);
            if (cut < node.Low[dimension] || cut >= node.High[dimension])
            {
                Split(node, leaf, dimension, cut);
                return leaf;
            }

            node = point[node.Dimension] <= node.Cut ? node.Left! : node.Right!;
        }
    }

    /// <summary>Takes one occurrence of a point away.</summary>
    public void Remove(CutNode leaf)
    {
        if (leaf.Points > 1)
        {
            Count(leaf, -1);
            return;
        }

        if (leaf.Parent is not { } parent)
        {
            _root = null;
            return;
        }

        var sibling = leaf.Sibling;
        Replace(parent, sibling);
        for (var node = sibling.Parent; node is not null; node = node.Parent)
        {
            node.Points--;
            Bound(node);
        }
    }

    /// <summary>Collusive displacement: how many points, at most, would move up for each point that leaves together with this one.</summary>
    public static double Displacement(CutNode leaf)
    {
        var most = 0.0;
        for (var node = leaf; node.Parent is { } parent; node = parent)
        {
            most = Math.Max(most, (double)node.Sibling.Points / node.Points);
        }

        return most;
    }

    /// <summary>A cut in the box of the node widened by the point; it separates the point when it misses the node's own box.</summary>
    private (int Dimension, double Cut) Draw(CutNode node, double[] point)
    {
        double Range(int i) => Math.Max(node.High[i], point[i]) - Math.Min(node.Low[i], point[i]);
        var drawn = chance.Next() * Enumerable.Range(0, point.Length).Sum(Range);
        for (var i = 0; ; i++)
        {
            var range = Range(i);
            if (drawn < range || i == point.Length - 1)
            {
                // Rounding must not put the cut on the upper end: nothing would lie above it.
                var (low, high) = (Math.Min(node.Low[i], point[i]), Math.Max(node.High[i], point[i]));
                return (i, Math.Min(low + drawn, Math.BitDecrement(high)));
            }

            drawn -= range;
        }
    }

    private void Split(CutNode node, CutNode leaf, int dimension, double cut)
    {
        var parent = new CutNode(node.Low, node.High) { Dimension = dimension, Cut = cut, Points = node.Points };
        Replace(node, parent);
        (parent.Left, parent.Right) = leaf.Low[dimension] <= cut ? (leaf, node) : (node, leaf);
        (leaf.Parent, node.Parent) = (parent, parent);
        for (var up = parent; up is not null; up = up.Parent)
        {
            up.Points++;
            Bound(up);
        }
    }

    private void Replace(CutNode node, CutNode other)
    {
        other.Parent = node.Parent;
        if (node.Parent is not { } parent)
        {
            _root = other;
        }
        else if (parent.Left == node)
        {
            parent.Left = other;
        }
        else
        {
            parent.Right = other;
        }
    }

    private static void Count(CutNode leaf, int change)
    {
        for (var node = leaf; node is not null; node = node.Parent)
        {
            node.Points += change;
        }
    }

    private static void Bound(CutNode node)
    {
        var (left, right) = (node.Left!, node.Right!);
        (node.Low, node.High) = ([.. left.Low.Zip(right.Low, Math.Min)], [.. left.High.Zip(right.High, Math.Max)]);
    }
}
