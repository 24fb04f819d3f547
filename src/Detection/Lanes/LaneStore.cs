using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Devices;
using Sekisho.Storage;

namespace Sekisho.Detection.Lanes;

/// <summary>Another process has moved the lanes on: this one must load them again.</summary>
internal sealed class LanesMovedException(long expected, long found)
    : Exception($"The lanes stand at position {found}, not at {expected}: another gateway moved them.");

/// <summary>
/// The tables lane, lane_subject and lane_delta. A commit adds what changed to lane_delta and settles some subjects: their whole states go to
/// lane_subject, and deltas that no other subject needs go. Reading any thread; the rest one thread at a time, writing inside the caller's
/// transaction.
/// </summary>
internal sealed class LaneStore(Databases databases, SubjectKeys keys, IDeviceDirectory directory, LaneSettings settings)
{
    private readonly DeltaCodec _deltas = new(keys);

    /// <summary>Makes the lanes at first start, and loads everything.</summary>
    /// <returns>A runner, and the position after which it goes on.</returns>
    public async Task<(LaneRunner Runner, long Position)> LoadAsync(PlanBook book, LaneBooks books, CancellationToken cancellation)
    {
        await databases.State.WriteAsync(
            t => t.Connection!.ExecuteAsync(
                "INSERT INTO lane (lane, position, seen_at, tick_at, downtime) VALUES (@lane, 0, 0, 0, 0) ON CONFLICT (lane) DO NOTHING",
                Enumerable.Range(0, Lane.Count).Select(lane => new { lane }),
                t),
            cancellation).ConfigureAwait(false);
        var head = await databases.State.ReadAsync(c => c.QuerySingleAsync<Head>("SELECT position AS Position, seen_at AS SeenAt, tick_at AS TickAt, downtime AS Downtime FROM lane WHERE lane = 0"), cancellation).ConfigureAwait(false);
        var loader = await ReadAsync(cancellation).ConfigureAwait(false);
        var clock = new LaneClock(head.SeenAt, head.TickAt, head.Downtime);
        var table = new SubjectTable(directory, settings.Sources / Lane.Count);
        var changes = new ChangedSubjects(settings);
        var runner = new LaneRunner(table, clock, books, changes);
        var unsettled = new List<LoadedSubject>();
        foreach (var loaded in loader.All(books.Scripts.Over(book)))
        {
            if (loaded.Since > 0)
            {
                unsettled.Add(loaded);
            }

            if (!loaded.Subject.Removed)
            {
                table.Put(loaded.Subject);
                table.Await(loaded.Subject, clock);
                runner.Forget(loaded.Subject, loaded.Raised);
            }
        }

        foreach (var loaded in unsettled.OrderBy(u => u.Since))
        {
            changes.Unsettled(loaded.Subject, loaded.Since);
        }

        runner.Adopt(book);
        return (runner, head.Position);
    }

    /// <summary>Moves the lanes from one position to the next.</summary>
    /// <returns>False when that was done already: an earlier attempt reached the disk although its answer was lost.</returns>
    /// <exception cref="LanesMovedException">They stand somewhere else.</exception>
    public static bool Move(long from, long to, LaneClock clock, DbTransaction transaction)
    {
        var connection = transaction.Connection!;
        var moved = connection.Execute(
            "UPDATE lane SET position = @to, seen_at = @SeenAt, tick_at = @TickAt, downtime = @Downtime WHERE position = @from",
            new { from, to, clock.SeenAt, clock.TickAt, clock.Downtime },
            transaction);
        if (moved == Lane.Count)
        {
            return true;
        }

        var found = connection.QuerySingle<long>("SELECT MIN(position) FROM lane", transaction: transaction);
        return found == to ? false : throw new LanesMovedException(from, found);
    }

    /// <summary>Puts the deltas into sealed rows, which needs no transaction.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="position">Journal position that the commit reaches.</param>
    public IReadOnlyList<ReadOnlyMemory<byte>> Prepare(StateChanges changes, long position) =>
        [.. _deltas.Encode(changes.Deltas).Select((row, part) => (ReadOnlyMemory<byte>)keys.Seal(row.Span, StateLoader.DeltaContext(position, part)))];

    /// <summary>Writes changed states.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="deltas">Their deltas as rows.</param>
    /// <param name="position">Journal position that the commit reaches.</param>
    /// <param name="transaction">The transaction.</param>
    public void Write(StateChanges changes, IReadOnlyList<ReadOnlyMemory<byte>> deltas, long position, DbTransaction transaction)
    {
        if (changes.Settled.Count == 0)
        {
            return;
        }

        using ILaneRows rows = transaction switch
        {
            SqliteTransaction sqlite => new SqliteLaneRows(sqlite),
            NpgsqlTransaction postgres => new PostgreSqlLaneRows(postgres),
            _ => throw new ArgumentException($"A transaction of {transaction.GetType()} is of no known dialect.", nameof(transaction)),
        };
        for (var part = 0; part < deltas.Count; part++)
        {
            rows.Delta(position, part, deltas[part]);
        }

        foreach (var state in changes.Settled)
        {
            var id = new StoredId(state.Id.Scope, SubjectKeys.AreaOf(state.Id), keys.SubjectOf(state.Id));
            if (state.Kind == ChangeKind.Removed)
            {
                rows.Forget(id);
            }
            else
            {
                rows.Settle(new SubjectRow(id, state.Lane, state.FieldId, keys.KeyOf(state.Id), keys.Seal(state.State.Span, StateLoader.StateContext(id)), position));
            }
        }

        rows.Done(changes.Done);
    }

    private async Task<StateLoader> ReadAsync(CancellationToken cancellation)
    {
        var loader = new StateLoader(keys);
        await databases.State.ReadAsync(
            async connection =>
            {
                await foreach (var row in connection.QueryUnbufferedAsync<Row>("SELECT scope AS Scope, area AS Area, subject AS Subject, lane AS Lane, field_id AS FieldId, key AS Key, state AS State, delta AS Delta FROM lane_subject").WithCancellation(cancellation).ConfigureAwait(false))
                {
                    loader.Add(new SubjectRow(new StoredId(row.Scope, row.Area, row.Subject), (int)row.Lane, row.FieldId, row.Key, row.State, row.Delta));
                }

                await foreach (var (position, part, data) in connection.QueryUnbufferedAsync<(long, long, byte[])>("SELECT position, part, data FROM lane_delta ORDER BY position, part").WithCancellation(cancellation).ConfigureAwait(false))
                {
                    loader.Add(position, part, data);
                }

                return true;
            },
            cancellation).ConfigureAwait(false);
        return loader;
    }

    private sealed record Head
    {
        public long Position { get; init; }

        public long SeenAt { get; init; }

        public long TickAt { get; init; }

        public long Downtime { get; init; }
    }

    private sealed record Row
    {
        public string Scope { get; init; } = "";

        public string Area { get; init; } = "";

        public string Subject { get; init; } = "";

        public long Lane { get; init; }

        public string? FieldId { get; init; }

        public byte[]? Key { get; init; }

        public byte[] State { get; init; } = [];

        public long Delta { get; init; }
    }
}
