using System.Data.Common;
using System.Text;
using System.Text.Json;
using Dapper;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Lanes;

/// <summary>A script in force as it is stored.</summary>
/// <param name="Change">The event that put it in force.</param>
/// <param name="Health">How it fares.</param>
/// <param name="WorkerState">State of a worker, JSON; empty for flow scripts and before the first run.</param>
internal sealed record KeptScript(ScriptChangedEvent Change, ScriptHealth Health, ReadOnlyMemory<byte> WorkerState);

/// <summary>The table detection_script. Everything that says what a script looks for is encrypted. Reading any thread; writing inside the lanes' transaction.</summary>
internal sealed class ScriptTable(Databases databases, MasterKey master, IHistory history) : IDisposable
{
    private readonly ColumnCipher _cipher = new(master, "detection.script");

    public void Dispose() => _cipher.Dispose();

    /// <summary>The book as of the lanes' position.</summary>
    public async Task<ScriptBook> LoadAsync(CancellationToken cancellation) =>
        ScriptBook.Of((await ListAsync(null, cancellation).ConfigureAwait(false)).Select(Running));

    /// <summary>What is in force in a field (null: in all), by field and script.</summary>
    public async Task<IReadOnlyList<KeptScript>> ListAsync(string? fieldId, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<Row>(
                $"""
                SELECT field_id AS FieldId, script_id AS ScriptId, body AS Body, in_a_row AS InARow, faults AS Faults, last_fault AS LastFault, is_off AS IsOff, worker_state AS WorkerState
                FROM detection_script {(fieldId is null ? "" : "WHERE field_id = @fieldId")} ORDER BY field_id, script_id
                """,
                new { fieldId }),
            cancellation).ConfigureAwait(false);
        return [.. rows.Select(Read)];
    }

    /// <summary>When which version was put in force or withdrawn, newest first; without texts.</summary>
    public async Task<IReadOnlyList<ScriptChangedEvent>> TurnsAsync(string fieldId, string scriptId, CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<byte[]>("SELECT body FROM script_turn WHERE field_id = @fieldId AND script_id = @scriptId ORDER BY position DESC LIMIT 200", new { fieldId, scriptId }), cancellation).ConfigureAwait(false);
        return [.. rows.Select(r => JsonSerializer.Deserialize<ScriptChangedEvent>(_cipher.UnprotectText(r, Context(fieldId, scriptId)), JsonSerializerOptions.Web)!)];
    }

    /// <summary>Writes what a stretch changed.</summary>
    public void Write(IReadOnlyList<ScriptChangedEvent> changes, IReadOnlyList<ScriptMark> marks, DbTransaction transaction)
    {
        foreach (var change in changes)
        {
            Write(change, transaction);
        }

        foreach (var mark in marks)
        {
            var context = Context(mark.FieldId, mark.ScriptId);
            transaction.Connection!.Execute(
                """
                UPDATE detection_script SET in_a_row = @InARow, faults = @Faults, last_fault = @fault, is_off = @off, worker_state = COALESCE(@state, worker_state)
                WHERE field_id = @FieldId AND script_id = @ScriptId
                """,
                new
                {
                    mark.Health.InARow,
                    mark.Health.Faults,
                    fault = mark.Health.LastFault is { } fault ? _cipher.Protect(fault, context) : null,
                    off = mark.Health.IsOff ? 1 : 0,
                    state = mark.WorkerState.IsEmpty ? null : _cipher.Protect(mark.WorkerState.Span, Encoding.UTF8.GetBytes(context)),
                    mark.FieldId,
                    mark.ScriptId,
                },
                transaction);
        }
    }

    private static RunningScript Running(KeptScript kept)
    {
        var script = new RunningScript(kept.Change, kept.Health);
        if (!kept.WorkerState.IsEmpty)
        {
            script.WorkerState = kept.WorkerState;
        }

        return script;
    }

    private static string Context(string fieldId, string scriptId) => $"{fieldId}/{scriptId}";

    private KeptScript Read(Row row)
    {
        var context = Context(row.FieldId, row.ScriptId);
        return new KeptScript(
            JsonSerializer.Deserialize<ScriptChangedEvent>(_cipher.UnprotectText(row.Body, context), JsonSerializerOptions.Web)!,
            new ScriptHealth((int)row.InARow, row.Faults, row.LastFault is { } fault ? _cipher.UnprotectText(fault, context) : null, row.IsOff != 0),
            row.WorkerState is { } state ? _cipher.Unprotect(state, Encoding.UTF8.GetBytes(context)) : default(ReadOnlyMemory<byte>));
    }

    private void Write(ScriptChangedEvent change, DbTransaction transaction)
    {
        if (change.InForce)
        {
            transaction.Connection!.Execute(
                """
                INSERT INTO detection_script (field_id, script_id, version, position, body, in_a_row, faults, is_off) VALUES (@FieldId, @ScriptId, @Version, @Position, @body, 0, 0, 0)
                ON CONFLICT (field_id, script_id) DO UPDATE SET version = excluded.version, position = excluded.position, body = excluded.body,
                    in_a_row = 0, faults = 0, last_fault = NULL, is_off = 0, worker_state = NULL
                """,
                new { change.FieldId, change.ScriptId, change.Version, change.Position, body = _cipher.Protect(JsonSerializer.Serialize(change, JsonSerializerOptions.Web), Context(change.FieldId, change.ScriptId)) },
                transaction);
        }
        else
        {
            transaction.Connection!.Execute("DELETE FROM detection_script WHERE field_id = @FieldId AND script_id = @ScriptId", new { change.FieldId, change.ScriptId }, transaction);
        }

        transaction.Connection!.Execute(
            "INSERT INTO script_turn (field_id, script_id, position, body) VALUES (@FieldId, @ScriptId, @Position, @body)",
            new
            {
                change.FieldId,
                change.ScriptId,
                change.Position,
                body = _cipher.Protect(JsonSerializer.Serialize(change with { Source = default }, JsonSerializerOptions.Web), Context(change.FieldId, change.ScriptId)),
            },
            transaction);
        history.Append(
            new HistoryRecord
            {
                At = change.ArrivedAt,
                Kind = HistoryKinds.Operator,
                What = change.InForce ? "script-activated" : "script-withdrawn",
                FieldId = change.FieldId,
                Actor = change.By,
                CorrelationId = change.CorrelationId,
                Subject = change.ScriptId,
                Details = JsonSerializer.Serialize(new { change.Version, change.Effect, change.Reason, change.Position }, JsonSerializerOptions.Web),
            },
            transaction);
    }

    private sealed record Row
    {
        public string FieldId { get; init; } = "";

        public string ScriptId { get; init; } = "";

        public byte[] Body { get; init; } = [];

        public long InARow { get; init; }

        public long Faults { get; init; }

        public byte[]? LastFault { get; init; }

        public long IsOff { get; init; }

        public byte[]? WorkerState { get; init; }
    }
}
