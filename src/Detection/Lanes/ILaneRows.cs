namespace Sekisho.Detection.Lanes;

/// <summary>
/// Changes the tables lane_delta and lane_subject within one transaction. One implementation per dialect, because only the driver's own calls
/// avoid copies. One thread at a time.
/// </summary>
internal interface ILaneRows : IDisposable
{
    /// <summary>Adds a delta.</summary>
    void Delta(long position, int part, ReadOnlyMemory<byte> data);

    /// <summary>Inserts or replaces a subject.</summary>
    void Settle(in SubjectRow row);

    /// <summary>Takes out a subject.</summary>
    void Forget(in StoredId id);

    /// <summary>Takes out the deltas up to a position, and sends whatever waits.</summary>
    void Done(long position);
}

/// <summary>A row of lane_subject. The memory is valid until the rows are done.</summary>
internal readonly record struct SubjectRow(StoredId Id, int Lane, string? FieldId, byte[]? Key, ReadOnlyMemory<byte> State, long Delta);
