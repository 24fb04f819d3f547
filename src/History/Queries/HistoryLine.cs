namespace Sekisho.History.Queries;

/// <summary>One line of the history as the API shows it.</summary>
/// <param name="At">When, in the field's zone.</param>
/// <param name="Kind">One of the history's kinds.</param>
/// <param name="What">What exactly.</param>
/// <param name="DeviceId">Device, when one is concerned.</param>
/// <param name="Actor">Who did it.</param>
/// <param name="CorrelationId">Correlation id; empty when there is none, or when a line stands for messages of several requests.</param>
/// <param name="Subject">Identifier of the thing itself; for received data the chunk.</param>
/// <param name="Details">Details as JSON; null when there are none.</param>
/// <param name="Delivery">For a search by correlation id: what became of the received data on its way to the field's cloud; else null.</param>
internal sealed record HistoryLine(
    DateTimeOffset At, string Kind, string What, string? DeviceId, string Actor, string CorrelationId, string? Subject, RawJson? Details, IReadOnlyList<HistoryLine>? Delivery = null);

/// <summary>A line with its place.</summary>
internal sealed record FoundLine(HistoryKey Key, HistoryLine Line);

/// <summary>What one source gave: lines from newest to oldest after the place asked for.</summary>
/// <param name="Lines">At most as many as asked for.</param>
/// <param name="Searched">How far the search came when it stopped early for its bound; null when it came to its end or to the limit.</param>
internal sealed record SourceLines(IReadOnlyList<FoundLine> Lines, HistoryKey? Searched);
