using System.Data.Common;
using Dapper;
using Sekisho.Storage;

namespace Sekisho.Response.Changes;

/// <summary>How far people were told.</summary>
internal sealed record NewsMark(long Position, DateTimeOffset At);

/// <summary>The table news_mark, and which incidents are late. '' as field stands for the gateway itself. Any thread.</summary>
internal sealed class NewsStore(Databases databases)
{
    // What is more is in the list of incidents that are late, and in no mail.
    private const int MostLate = 20_000;

    /// <summary>Begins, where nothing was ever told, with what comes from now on.</summary>
    public Task BeginAsync(long end, DateTimeOffset now) => databases.State.WriteAsync(
        async t =>
        {
            foreach (var (stream, position) in ((string, long)[])[(NewsStreams.Read, end), (NewsStreams.Overdue, now.ToUnixTimeMilliseconds())])
            {
                await t.Connection!.ExecuteAsync(
                    "INSERT INTO news_mark (stream, field_id, position, at) VALUES (@stream, '', @position, @at) ON CONFLICT (stream, field_id) DO NOTHING",
                    new { stream, position, at = now.ToUnixTimeMilliseconds() },
                    t);
            }

            return true;
        });

    public Task<IReadOnlyDictionary<(string Stream, string Field), NewsMark>> MarksAsync(CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyDictionary<(string, string), NewsMark>)(await c.QueryAsync<(string Stream, string Field, long Position, long At)>("SELECT stream, field_id, position, at FROM news_mark"))
            .ToDictionary(r => (r.Stream, r.Field), r => new NewsMark(r.Position, DateTimeOffset.FromUnixTimeMilliseconds(r.At))),
        cancellation);

    /// <summary>Moves a mark in the caller's transaction; false when somebody else moved it meanwhile.</summary>
    public static bool Advance(string stream, string field, NewsMark? from, long to, DateTimeOffset now, DbTransaction transaction)
    {
        var values = new { stream, field, from = from?.Position, to, at = now.ToUnixTimeMilliseconds() };
        return transaction.Connection!.Execute(
            from is null
                ? "INSERT INTO news_mark (stream, field_id, position, at) VALUES (@stream, @field, @to, @at) ON CONFLICT (stream, field_id) DO NOTHING"
                : "UPDATE news_mark SET position = @to, at = @at WHERE stream = @stream AND field_id = @field AND position = @from",
            values,
            transaction) > 0;
    }

    /// <summary>Remembers how far the history was read and dealt with; never goes back.</summary>
    public Task SaveReadAsync(long position, DateTimeOffset now, CancellationToken cancellation) => databases.State.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "UPDATE news_mark SET position = @position, at = @at WHERE stream = 'read' AND field_id = '' AND position < @position", new { position, at = now.ToUnixTimeMilliseconds() }, t),
        cancellation);

    /// <summary>Incidents that are not closed and fell due in a time.</summary>
    public Task<IReadOnlyList<LateIncident>> LateAsync(DateTimeOffset after, DateTimeOffset until, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<LateIncident>)[.. (await c.QueryAsync<(string Id, string Field, string Level, long DueAt)>(
                "SELECT id, field_id, level, due_at FROM incident WHERE closed_at IS NULL AND due_at > @after AND due_at <= @until ORDER BY due_at, id LIMIT @most",
                new { after = after.ToUnixTimeMilliseconds(), until = until.ToUnixTimeMilliseconds(), most = MostLate }))
            .Select(r => new LateIncident(r.Id, r.Field.Length == 0 ? null : r.Field, r.Level, DateTimeOffset.FromUnixTimeMilliseconds(r.DueAt)))],
        cancellation);
}
