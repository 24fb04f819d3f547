namespace Sekisho.Sensor.Tests.Enforcement;

/// <summary>A machine's clock that is ahead of the true time, or behind it; waits last as long as ever.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
}
