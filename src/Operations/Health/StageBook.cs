using Microsoft.Extensions.Logging;
using Sekisho.Domain.Operations;

namespace Sekisho.Operations.Health;

/// <summary>All stages that a maintainer can watch and hold. Any thread.</summary>
internal sealed partial class StageBook(IEnumerable<IStage> stages, ILogger<StageBook> logger)
{
    private readonly IStage[] _stages = [.. stages];

    public IReadOnlyList<StageView> Views => [.. _stages.Select(ViewOf)];

    public IStage? Find(string name) => Array.Find(_stages, s => s.Name == name);

    /// <summary>A stage that cannot even say how it is counts as unhealthy; the others are still shown.</summary>
    public StageView ViewOf(IStage stage)
    {
        try
        {
            return StageView.Of(stage.Name, stage.Status);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Health is asked for when things go wrong: it must answer about the rest.
            StatusFailed(logger, stage.Name, e);
            return new StageView(stage.Name, Healthy: false, Paused: false, Waiting: 0, LagSeconds: 0, "status unavailable");
        }
    }

    [LoggerMessage(6001, LogLevel.Error, "Stage {Stage} cannot say how it is")]
    private static partial void StatusFailed(ILogger logger, string stage, Exception fault);
}
