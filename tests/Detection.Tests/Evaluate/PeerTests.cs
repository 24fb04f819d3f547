using Sekisho.Detection.Evaluate;
using Sekisho.Detection.Evaluate.Peers;
using Sekisho.Detection.Tests.Thresholds;

namespace Sekisho.Detection.Tests.Evaluate;

public class PeerTests
{
    [Fact]
    public void A_tree_keeps_its_counts_and_boxes_over_insertions_and_removals()
    {
        var (draws, tree, leaves) = (new Draws(1), new CutTree(new Chance(2)), new List<CutNode>());
        for (var i = 0; i < 3000; i++)
        {
            if (leaves.Count > 100 && draws.Uniform() < 0.6)
            {
                var at = (int)(draws.Uniform() * leaves.Count);
                tree.Remove(leaves[at]);
                leaves.RemoveAt(at);
            }
            else
            {
                leaves.Add(tree.Insert([Math.Round(3 * draws.Normal()), Math.Round(3 * draws.Normal())]));
            }

            var root = leaves[0];
            while (root.Parent is { } parent)
            {
                root = parent;
            }

            Assert.Equal(leaves.Count, Check(root));
        }
    }

    [Fact]
    public void Each_of_them_is_more_surprised_by_an_outlier_than_by_anything_before()
    {
        foreach (var peer in (IPeer[])[new WindowedGaussian(), new RandomCutForest(width: 1), new RandomCutForest(width: 4)])
        {
            var (draws, most) = (new Draws(3), 0.0);
            for (var i = 0; i < 1000; i++)
            {
                var score = peer.Score(draws.Normal());
                most = i > 100 ? Math.Max(most, score) : most;
            }

            Assert.InRange(peer.Score(50), most, 1);
        }
    }

    [Fact]
    public void The_neighbours_find_an_odd_stretch_and_rest_after_it()
    {
        var (draws, peer) = (new Draws(5), new ConformalNeighbours(training: 300));
        double Next(double value) => peer.Score(value + (0.1 * draws.Normal()));
        var scores = Enumerable.Range(0, 1000).Select(i => Next(i >= 800 && i < 803 ? 30 : Math.Sin(i / 5.0))).ToArray();
        Assert.Contains(scores[800..803], s => s >= 0.9965);
        Assert.Contains(0.5, scores[800..860]);
        Assert.All(scores[..280], s => Assert.Equal(0, s));
    }

    /// <summary>Points below a node; the box must be the one around them, the cut must part them.</summary>
    private static int Check(CutNode node)
    {
        if (node.IsLeaf)
        {
            return node.Points;
        }

        var (left, right) = (node.Left!, node.Right!);
        Assert.Equal([.. left.Low.Zip(right.Low, Math.Min)], node.Low);
        Assert.Equal([.. left.High.Zip(right.High, Math.Max)], node.High);
        Assert.True(left.High[node.Dimension] <= node.Cut && right.Low[node.Dimension] > node.Cut);
        Assert.Equal(node.Points, Check(left) + Check(right));
        return node.Points;
    }
}
