using System.Data;
using System.Data.Common;
using Dapper;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Devices;
using Sekisho.Storage;

namespace Sekisho.Detection.Lanes;

/// <summary>Another process has moved the lanes on: this one must load them again.</summary>
internal sealed class LanesMovedException(long expected, long found)
    : Exception($"The lanes stand at position {found}, not at {expected}: another gateway moved them.");

/// <summary>The tables lane and lane_subject. Reading any thread; writing inside the caller's transaction.</summary>
internal sealed class LaneStore(Databases databases, SubjectKeys keys, IDeviceDirectory directory, LaneSettings settings)
{
    private const string Upsert = """
        INSERT INTO lane_subject (scope, area, subject, lane, field_id, key, state) VALUES (@scope, @area, @subject, @lane, @field, @key, @state)
        ON CONFLICT (scope, area, subject) DO UPDATE SET lane = excluded.lane, field_id = excluded.field_id, state = excluded.state
        """;

    private const string Delete = "DELETE FROM lane_subject WHERE scope = @scope AND area = @area AND subject = @subject";
    private const int BatchStatements = 500;

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
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<Row>("SELECT scope AS Scope, area AS Area, subject AS Subject, field_id AS FieldId, key AS Key, state AS State FROM lane_subject"), cancellation).ConfigureAwait(false);
        var clock = new LaneClock(head.SeenAt, head.TickAt, head.Downtime);
        var table = new SubjectTable(directory, settings.Sources / Lane.Count);
        var runner = new LaneRunner(table, clock, books);
        foreach (var row in rows)
        {
            var subject = new Subject(new SubjectId(row.Scope, row.Area.Length > 0 ? row.Area : null, keys.Read(row.Subject, row.Key)), row.FieldId);
            subject.Adopt(book.For(row.FieldId).Of(row.Scope) ?? ScopePlan.Empty, []);
            var raised = new List<ulong>();
            SubjectCodec.Decode(subject, row.State, raised);
            table.Put(subject);
            table.Await(subject, clock);
            runner.Forget(subject, raised);
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

    /// <summary>Writes changed states.</summary>
    public void Write(IReadOnlyList<ChangedState> states, DbTransaction transaction)
    {
        if (states.Count == 0)
        {
            return;
        }

        if (transaction.Connection!.CanCreateBatch)
        {
            WriteBatches(states, transaction);
            return;
        }

        using var upsert = transaction.Connection.CreateCommand();
        using var delete = transaction.Connection.CreateCommand();
        (upsert.Transaction, upsert.CommandText) = (transaction, Upsert);
        (delete.Transaction, delete.CommandText) = (transaction, Delete);
        foreach (var state in states)
        {
            var command = state.State is null ? delete : upsert;
            command.Parameters.Clear();
            Bind(state, command.Parameters, command.CreateParameter);
            command.ExecuteNonQuery();
        }
    }

    /// <summary>Over a network: many statements a round trip.</summary>
    private void WriteBatches(IReadOnlyList<ChangedState> states, DbTransaction transaction)
    {
        foreach (var some in states.Chunk(BatchStatements))
        {
            using var parameters = transaction.Connection!.CreateCommand();
            using var batch = transaction.Connection.CreateBatch();
            batch.Transaction = transaction;
            foreach (var state in some)
            {
                var command = batch.CreateBatchCommand();
                command.CommandText = state.State is null ? Delete : Upsert;
                Bind(state, command.Parameters, parameters.CreateParameter);
                batch.BatchCommands.Add(command);
            }

            batch.ExecuteNonQuery();
        }
    }

    private void Bind(in ChangedState state, DbParameterCollection parameters, Func<DbParameter> create)
    {
        void Add(string name, object? value, DbType type)
        {
            var parameter = create();
            (parameter.ParameterName, parameter.DbType, parameter.Value) = (name, type, value ?? DBNull.Value);
            parameters.Add(parameter);
        }

        Add("scope", state.Id.Scope, DbType.String);
        Add("area", SubjectKeys.AreaOf(state.Id), DbType.String);
        Add("subject", keys.SubjectOf(state.Id), DbType.String);
        if (state.State is not null)
        {
            Add("lane", (long)state.Lane, DbType.Int64);
            Add("field", state.FieldId, DbType.String);
            Add("key", keys.KeyOf(state.Id), DbType.Binary);
            Add("state", state.State, DbType.Binary);
        }
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

        public string? FieldId { get; init; }

        public byte[]? Key { get; init; }

        public byte[] State { get; init; } = [];
    }
}
