using System.Data.Common;
using System.Text;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.History.Store;

namespace Sekisho.History.Queries;

/// <summary>Finds records. Any thread.</summary>
internal sealed class RecordSource(DetailsCipher cipher)
{
    private const string Columns = "id AS Id, at AS At, kind AS Kind, what AS What, field_id AS FieldId, device_id AS DeviceId, actor AS Actor, correlation_id AS CorrelationId, subject AS Subject, details AS Details";

    /// <summary>Records that fit the filter.</summary>
    public async Task<SourceLines> FindAsync(DbConnection connection, HistoryFilter filter, int limit, CancellationToken cancellation)
    {
        // One query per kind: each is a range of an index, however rare the kind.
        var lines = new List<FoundLine>();
        foreach (var kind in filter.Kinds.Cast<string?>().DefaultIfEmpty())
        {
            var sql = $"""
                SELECT {Columns} FROM history_record
                WHERE at >= @start AND at <= @at AND (at < @at OR id < @id)
                AND field_id {(filter.FieldId is null ? "IS NULL" : "= @FieldId")}
                {(kind is null ? "" : "AND kind = @kind")}
                {(filter.Device is null ? "" : "AND device_id = @Device")}
                {(filter.Correlation is null ? "" : "AND correlation_id = @Correlation AND correlation_id <> ''")}
                ORDER BY at DESC, id DESC LIMIT @limit
                """;
            var begin = filter.Begin;
            var rows = await connection.QueryAsync<Row>(new CommandDefinition(
                sql,
                new { start = filter.Start, at = begin.At, id = begin.IdLimit(HistoryKey.Record), filter.FieldId, kind, filter.Device, filter.Correlation, limit },
                cancellationToken: cancellation)).ConfigureAwait(false);
            lines.AddRange(rows.Select(r => new FoundLine(new HistoryKey(r.At, HistoryKey.Record, r.Id), Line(r))));
        }

        return new SourceLines(lines, null);
    }

    /// <summary>What became of a chunk on its way out, oldest first.</summary>
    public async Task<IReadOnlyList<HistoryLine>> DeliveryAsync(DbConnection connection, string fieldId, string subject, CancellationToken cancellation)
    {
        var rows = await connection.QueryAsync<Row>(new CommandDefinition(
            $"SELECT {Columns} FROM history_record WHERE subject = @subject AND kind = '{HistoryKinds.DataOut}' AND field_id = @fieldId ORDER BY at, id LIMIT 100",
            new { fieldId, subject },
            cancellationToken: cancellation)).ConfigureAwait(false);
        return [.. rows.Select(Line)];
    }

    private HistoryLine Line(Row row) => new(
        DateTimeOffset.FromUnixTimeMilliseconds(row.At), row.Kind, row.What, row.DeviceId, row.Actor, row.CorrelationId, row.Subject,
        row.Details is null ? null : new RawJson(Encoding.UTF8.GetBytes(cipher.Open(row.Details, row.At, row.Kind, row.What, row.FieldId, row.DeviceId, row.CorrelationId))));

    private sealed record Row(long Id, long At, string Kind, string What, string? FieldId, string? DeviceId, string Actor, string CorrelationId, string? Subject, byte[]? Details);
}
