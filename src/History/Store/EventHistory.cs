using System.Runtime.CompilerServices;
using Dapper;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.History.Store;

/// <summary>
/// Puts chunks and event blocks together again in the order of the journal. Rows come by the position of their first event; an event is given
/// when no row to come can begin before it, so that what is in memory is one stretch of the lanes, however long the span is. Any thread.
/// </summary>
internal sealed class EventHistory(Databases databases, ChunkCipher chunks, EventBlocks blocks) : IEventHistory
{
    private const int Portion = 4096;
    private const int RowsAtATime = 32;

    public async Task<KeptEvents> KeptAsync(string fieldId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var span = new { fieldId, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds(), none = EventBlocks.NoField };
        return await databases.State.ReadAsync(
            async connection =>
            {
                var messages = await connection.QuerySingleAsync<long>(new CommandDefinition(
                    "SELECT COALESCE(SUM(messages), 0) FROM message_chunk WHERE field_id = @fieldId AND last_at >= @from AND first_at < @to", span, cancellationToken: cancellation)).ConfigureAwait(false);
                var first = await connection.QuerySingleAsync<long?>(new CommandDefinition(
                    "SELECT MIN(first_at) FROM message_chunk WHERE field_id = @fieldId", span, cancellationToken: cancellation)).ConfigureAwait(false);
                var tick = await connection.QuerySingleAsync<long?>(new CommandDefinition(
                    "SELECT MIN(first_at) FROM event_block WHERE field_id = @none", span, cancellationToken: cancellation)).ConfigureAwait(false);
                return new KeptEvents(messages, At(first), At(tick));
            },
            cancellation).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<IReadOnlyList<GatewayEvent>> ReadAsync(string fieldId, DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken cancellation)
    {
        Rows[] sources =
        [
            new(databases, "message_chunk", fieldId, from, to, row => chunks.Open(row.Data, row.Id, fieldId)),
            new(databases, "event_block", fieldId, from, to, row => blocks.Open(fieldId, row.Id, row.Data)),

            // Of what belongs to no field, the clock and what was learnt across fields matter to this one.
            new(databases, "event_block", EventBlocks.NoField, from, to, row => [.. blocks.Open(EventBlocks.NoField, row.Id, row.Data).Where(e => e is TickEvent or PriorEvent)]),
        ];
        foreach (var source in sources)
        {
            await source.StartAsync(cancellation).ConfigureAwait(false);
        }

        var open = new PriorityQueue<Run, long>();
        var portion = new List<GatewayEvent>(Portion);
        while (true)
        {
            var next = sources.Where(s => s.Next is not null).MinBy(s => s.Next!.Id);
            if (next is not null)
            {
                var events = next.Open();
                await next.MoveAsync(cancellation).ConfigureAwait(false);
                if (events.Count > 0)
                {
                    open.Enqueue(new Run(events), events[0].Position);
                }
            }

            var settled = sources.Where(s => s.Next is not null).Select(s => s.Next!.Id).DefaultIfEmpty(long.MaxValue).Min();
            while (open.TryPeek(out var run, out var position) && position < settled)
            {
                open.Dequeue();
                var until = Math.Min(settled, open.TryPeek(out _, out var other) ? other : long.MaxValue);
                for (; run.At < run.Events.Count && run.Events[run.At].Position < until; run.At++)
                {
                    var one = run.Events[run.At];
                    if (one.ArrivedAt < from || one.ArrivedAt >= to)
                    {
                        continue;
                    }

                    portion.Add(one);
                    if (portion.Count == Portion)
                    {
                        yield return portion;
                        portion = new List<GatewayEvent>(Portion);
                    }
                }

                if (run.At < run.Events.Count)
                {
                    open.Enqueue(run, run.Events[run.At].Position);
                }
            }

            if (next is null)
            {
                break;
            }
        }

        if (portion.Count > 0)
        {
            yield return portion;
        }
    }

    private static DateTimeOffset? At(long? milliseconds) => milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    private sealed class Run(IReadOnlyList<GatewayEvent> events)
    {
        public int At;

        public IReadOnlyList<GatewayEvent> Events { get; } = events;
    }

    private sealed record Row
    {
        public long Id { get; init; }

        public byte[] Data { get; init; } = [];
    }

    /// <summary>The rows of one table and field in the order of their positions, some at a time. One thread.</summary>
    private sealed class Rows(Databases databases, string table, string fieldId, DateTimeOffset from, DateTimeOffset to, Func<Row, IReadOnlyList<GatewayEvent>> open)
    {
        private readonly Queue<Row> _rows = new();
        private long _after;
        private bool _isEnd;

        /// <summary>The row to come; null at the end.</summary>
        public Row? Next => _rows.TryPeek(out var row) ? row : null;

        public IReadOnlyList<GatewayEvent> Open() => open(_rows.Peek());

        public async Task StartAsync(CancellationToken cancellation)
        {
            var first = await databases.State.ReadAsync(
                c => c.QuerySingleAsync<long?>(new CommandDefinition($"SELECT MIN(id) FROM {table} WHERE field_id = @fieldId AND last_at >= @from", Span(), cancellationToken: cancellation)), cancellation).ConfigureAwait(false);
            (_after, _isEnd) = (first - 1 ?? 0, first is null);
            await FillAsync(cancellation).ConfigureAwait(false);
        }

        public Task MoveAsync(CancellationToken cancellation)
        {
            _rows.Dequeue();
            return _rows.Count > 0 || _isEnd ? Task.CompletedTask : FillAsync(cancellation);
        }

        private async Task FillAsync(CancellationToken cancellation)
        {
            if (_isEnd)
            {
                return;
            }

            var rows = (await databases.State.ReadAsync(
                c => c.QueryAsync<Row>(new CommandDefinition(
                    $"SELECT id AS Id, data AS Data FROM {table} WHERE field_id = @fieldId AND id > @after AND first_at < @to ORDER BY id LIMIT {RowsAtATime}", Span(), cancellationToken: cancellation)),
                cancellation).ConfigureAwait(false)).AsList();
            foreach (var row in rows)
            {
                _rows.Enqueue(row);
                _after = row.Id;
            }

            _isEnd = rows.Count < RowsAtATime;
        }

        private object Span() => new { fieldId, after = _after, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds() };
    }
}
