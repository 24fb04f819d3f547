using Sekisho.Domain.Operations;

namespace Sekisho.Operations.Health;

/// <summary>A stage as maintainers see it.</summary>
internal sealed record StageView(string Name, bool Healthy, bool Paused, long Waiting, double LagSeconds, string? Fault)
{
    public static StageView Of(string name, StageStatus s) => new(name, s.Healthy, s.Paused, s.Waiting, Math.Round(s.Lag.TotalSeconds, 3), s.Fault);
}
