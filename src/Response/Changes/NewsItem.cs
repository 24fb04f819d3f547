using Sekisho.Response.Leases;

namespace Sekisho.Response.Changes;

/// <summary>Something that people are to be told of.</summary>
/// <param name="Position">Where it stands in the history; 0 for what does not stand there.</param>
/// <param name="Stream">One of <see cref="NewsStreams"/>.</param>
/// <param name="FieldId">Whose people; null for the gateway's.</param>
/// <param name="What">Stable name of what happened.</param>
/// <param name="Level">One of the levels.</param>
/// <param name="CorrelationId">What caused it.</param>
/// <param name="Line">How it is told.</param>
internal sealed record NewsItem(long Position, string Stream, string? FieldId, string What, string Level, string CorrelationId, NoticeLine Line)
{
    /// <summary>The incident that it is about; null for none.</summary>
    public string? IncidentId { get; init; }

    /// <summary>A person that it concerns besides the administrators; null for none.</summary>
    public string? Person { get; init; }

    /// <summary>It did not happen after all: takes back what stands before it.</summary>
    public bool TakesBack { get; init; }
}

/// <summary>Stable names of what is told together.</summary>
internal static class NewsStreams
{
    public const string Changes = "changes";
    public const string Incidents = "incidents";

    /// <summary>Incidents whose time has passed; its mark is a time.</summary>
    public const string Overdue = "overdue";

    /// <summary>How far the history was read.</summary>
    public const string Read = "read";
}
