using Sekisho.Api;
using Sekisho.History.Zones;
using Sekisho.Storage;

namespace Sekisho.History.Queries;

/// <summary>Merges received data and records into one list in order of time, newest first. Any thread.</summary>
internal sealed class HistorySearch(Databases databases, RecordSource records, DataSource data, FieldClock times)
{
    /// <summary>A page. It may hold fewer lines than asked for and still have a next one, when a search stopped at its bound.</summary>
    /// <exception cref="StorageException">A record was changed outside Sekisho.</exception>
    public Task<Page<HistoryLine>> FindAsync(HistoryFilter filter, CancellationToken cancellation) => databases.State.ReadAsync(
        async connection =>
        {
            // One more than asked for tells whether there is a next page.
            var limit = filter.Limit + 1;
            var found = await records.FindAsync(connection, filter, limit, cancellation).ConfigureAwait(false);
            var received = await data.FindAsync(connection, filter, limit, cancellation).ConfigureAwait(false);
            return Merge(filter, found, received);
        },
        cancellation);

    private Page<HistoryLine> Merge(HistoryFilter filter, params SourceLines[] sources)
    {
        // Behind the place where one source stopped early, the others know nothing of what may come between.
        var searched = sources.Max(s => s.Searched);
        var lines = sources.SelectMany(s => s.Lines).Where(l => searched is null || l.Key.CompareTo(searched.Value) >= 0).OrderByDescending(l => l.Key).ToList();
        var page = lines.Take(filter.Limit).ToList();
        var next = lines.Count > page.Count ? page[^1].Key : searched;
        return new Page<HistoryLine>([.. page.Select(l => Shown(l.Line, filter.FieldId))], next?.ToString());
    }

    private HistoryLine Shown(HistoryLine line, string? fieldId) => line with
    {
        At = times.In(fieldId, line.At),
        Delivery = line.Delivery?.Select(d => Shown(d, fieldId)).ToList(),
    };
}
