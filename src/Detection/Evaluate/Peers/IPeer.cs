namespace Sekisho.Detection.Evaluate.Peers;

/// <summary>A published detector to compare with. Sees a series once, row by row.</summary>
internal interface IPeer
{
    /// <summary>Score of the next value, in [0, 1]: the higher, the more anomalous.</summary>
    double Score(double value);
}
