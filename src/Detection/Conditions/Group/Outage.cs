namespace Sekisho.Detection.Conditions.Group;

/// <summary>What a group event says of the silence of a single device. The default stands for none.</summary>
/// <param name="From">Who was heard last from here…</param>
/// <param name="To">…to here fell silent in it; arrival times, Unix milliseconds, 0 for no event.</param>
/// <param name="Until">When it ended; 0 while it lasts.</param>
internal readonly record struct Outage(long From, long To, long Until)
{
    /// <summary>True when a device that was heard last at this moment fell silent in the event.</summary>
    public bool Covers(long last) => To != 0 && last >= From && last <= To;
}
