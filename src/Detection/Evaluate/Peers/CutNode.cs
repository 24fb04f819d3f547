namespace Sekisho.Detection.Evaluate.Peers;

/// <summary>A node of a <see cref="CutTree"/>: a leaf holds a point (as often as it occurs), an inner node a cut; both the box around their points.</summary>
internal sealed class CutNode(double[] low, double[] high)
{
    public CutNode? Parent { get; set; }

    public CutNode? Left { get; set; }

    public CutNode? Right { get; set; }

    public double[] Low { get; } = low;

    public double[] High { get; } = high;

    public int Dimension { get; set; }

    public double Cut { get; set; }

    public int Points { get; set; } = 1;

    public bool IsLeaf => Left is null;

    public CutNode Sibling => Parent!.Left == this ? Parent.Right! : Parent.Left!;
}
