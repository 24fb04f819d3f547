namespace Sekisho.Domain.History;

/// <summary>
/// Reads the records of the history forward, in the order in which they were committed, so that whoever passes them on keeps no more than a
/// position. Implemented by History, called by Response for receivers outside. Any thread.
/// </summary>
public interface IHistoryFeed
{
    /// <summary>Position of the newest record that nothing will be committed before; 0 when there is none.</summary>
    Task<long> EndAsync(CancellationToken cancellation);

    /// <summary>The next records, oldest first.</summary>
    /// <param name="reach">Which.</param>
    /// <param name="after">Position of the last one read; 0 for the start.</param>
    /// <param name="limit">Most records looked at, whether they are in reach or not.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    Task<HistoryStretch> ReadAsync(HistoryReach reach, long after, int limit, CancellationToken cancellation);

    /// <summary>What is too much to be passed on: the oldest records behind a position that are older than a moment or more than a number.</summary>
    /// <returns>Null when everything fits.</returns>
    Task<HistoryExcess?> ExcessAsync(HistoryReach reach, long after, DateTimeOffset oldest, long most, CancellationToken cancellation);
}

/// <summary>Which records somebody is to see.</summary>
/// <param name="Gateway">Those of no field.</param>
/// <param name="Fields">Those of these fields.</param>
/// <param name="Kinds">Of these kinds (<see cref="HistoryKinds"/>) only.</param>
public sealed record HistoryReach(bool Gateway, IReadOnlyList<string> Fields, IReadOnlyList<string> Kinds)
{
    /// <summary>Those of every field, also of fields that do not exist any more; <see cref="Fields"/> says nothing then.</summary>
    public bool EveryField { get; init; }
}

/// <summary>A record with its place.</summary>
/// <param name="Position">Grows with each record; positions may be left out.</param>
/// <param name="Record">The record.</param>
public sealed record PlacedRecord(long Position, HistoryRecord Record);

/// <summary>A stretch of the history.</summary>
/// <param name="Records">The records in reach, oldest first.</param>
/// <param name="Through">Everything up to this position was looked at; give it as the next "after".</param>
/// <param name="AtEnd">True when nothing more is there now.</param>
public sealed record HistoryStretch(IReadOnlyList<PlacedRecord> Records, long Through, bool AtEnd);

/// <summary>The oldest part of what waits.</summary>
/// <param name="Through">Position of its last record.</param>
/// <param name="Records">How many records in reach it has.</param>
public sealed record HistoryExcess(long Through, long Records);
