namespace Sekisho.Traffic.Records;

/// <summary>What a decoder counted since it was made.</summary>
public readonly record struct FlowCounts
{
    /// <summary>Messages that were read, also in part.</summary>
    public long Messages { get; init; }

    /// <summary>Records of flows that were given out.</summary>
    public long Records { get; init; }

    /// <summary>Messages and sets whose lengths contradict themselves, or of a version that is not known.</summary>
    public long Malformed { get; init; }

    /// <summary>Sets of data that came before (or long after) their template and could not be read.</summary>
    public long WithoutTemplate { get; init; }

    /// <summary>Records that hold no flow: without addresses.</summary>
    public long OtherRecords { get; init; }

    /// <summary>Records that were sent and did not come, by the sequence numbers of NetFlow v5 and IPFIX.</summary>
    public long LostRecords { get; init; }

    /// <summary>Messages that were sent and did not come, by the sequence numbers of NetFlow v9.</summary>
    public long LostMessages { get; init; }

    /// <summary>Messages that came later than one that was sent after them.</summary>
    public long OutOfOrder { get; init; }

    /// <summary>Templates that were not sent again in time.</summary>
    public long TemplatesExpired { get; init; }

    /// <summary>Templates that were not taken: too many, or too long.</summary>
    public long TemplatesRefused { get; init; }

    /// <summary>Exporters that were forgotten because there were too many.</summary>
    public long ExportersForgotten { get; init; }
}
