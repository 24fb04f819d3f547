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
        var isBoxSmaller = true;
        for (var node = sibling.Parent; node is not null; node = node.Parent)
        {
            node.Points--;
            isBoxSmaller = isBoxSmaller && Shrink(node);
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
        var (lows, highs, sum) = (node.Low, node.High, 0.0);
        for (var i = 0; i < point.Length; i++)
        {
            sum += Math.Max(highs[i], point[i]) - Math.Min(lows[i], point[i]);
        }

        var drawn = chance.Next() * sum;
        for (var i = 0; ; i++)
        {
            var range = Math.Max(highs[i], point[i]) - Math.Min(lows[i], point[i]);
            if (drawn < range || i == point.Length - 1)
            {
                // Rounding must not put the cut on the upper end: nothing would lie above it.
                var (low, high) = (Math.Min(lows[i], point[i]), Math.Max(highs[i], point[i]));
                return (i, Math.Min(low + drawn, Math.BitDecrement(high)));
            }

            drawn -= range;
        }
    }

    private void Split(CutNode node, CutNode leaf, int dimension, double cut)
    {
        var parent = new CutNode([.. node.Low], [.. node.High]) { Dimension = dimension, Cut = cut, Points = node.Points };
        Replace(node, parent);
        (parent.Left, parent.Right) = leaf.Low[dimension] <= cut ? (leaf, node) : (node, leaf);
        (leaf.Parent, node.Parent) = (parent, parent);
        for (var up = parent; up is not null; up = up.Parent)
        {
            up.Points++;
            Widen(up, leaf.Low);
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

    private static void Widen(CutNode node, double[] point)
    {
        for (var i = 0; i < point.Length; i++)
        {
            node.Low[i] = Math.Min(node.Low[i], point[i]);
            node.High[i] = Math.Max(node.High[i], point[i]);
        }
    }

    /// <summary>Makes the box of an inner node that of its children; false when it was that before, and so for all above it.</summary>
    private static bool Shrink(CutNode node)
    {
        var (left, right, changed) = (node.Left!, node.Right!, false);
        for (var i = 0; i < node.Low.Length; i++)
        {
            var (low, high) = (Math.Min(left.Low[i], right.Low[i]), Math.Max(left.High[i], right.High[i]));
            changed |= low != node.Low[i] || high != node.High[i];
            (node.Low[i], node.High[i]) = (low, high);
        }

        return changed;
    }
}
