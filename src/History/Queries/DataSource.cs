using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.History.Store;
using Sekisho.History.Zones;

namespace Sekisho.History.Queries;

/// <summary>
/// Lists received data, a line per chunk; for a device, a line per chunk that holds messages of it. A search by correlation id looks at the
/// filter of each chunk, opens those that may hold it, and stops after a bounded number of chunks: the page's cursor goes on from there.
/// Any thread.
/// </summary>
internal sealed class DataSource(MessageStore store, DeviceChunks devices, RecordSource records, FieldClock times, SearchSettings settings)
{
    private const int Slice = 1000;

    /// <summary>Received data that fits the filter.</summary>
    public async Task<SourceLines> FindAsync(DbConnection connection, HistoryFilter filter, int limit, CancellationToken cancellation)
    {
        if (filter.FieldId is null || (filter.Kinds.Count > 0 && !filter.Kinds.Contains(HistoryKinds.DataIn)))
        {
            return new SourceLines([], null);
        }

        if (filter.Correlation is not null)
        {
            return await FindCorrelationAsync(connection, filter, filter.Correlation, limit, cancellation).ConfigureAwait(false);
        }

        var rows = await ReadAsync(connection, filter, filter.Begin, limit, withFilter: false, cancellation).ConfigureAwait(false);
        return new SourceLines([.. rows.Select(r => new FoundLine(r.Key, Line(filter.FieldId, r)))], null);
    }

    private async Task<SourceLines> FindCorrelationAsync(DbConnection connection, HistoryFilter filter, string correlation, int limit, CancellationToken cancellation)
    {
        var lines = new List<FoundLine>();
        var place = filter.Begin;
        for (var searched = 0; searched < settings.CorrelationChunks; searched += Slice)
        {
            var rows = await ReadAsync(connection, filter, place, Slice, withFilter: true, cancellation).ConfigureAwait(false);
            foreach (var row in rows.Where(r => CorrelationFilter.MayContain(r.Correlations!, correlation)))
            {
                if (await OpenAsync(connection, filter, row, correlation, cancellation).ConfigureAwait(false) is { } found)
                {
                    lines.Add(found);
                }

                if (lines.Count == limit)
                {
                    return new SourceLines(lines, null);
                }
            }

            if (rows.Count < Slice)
            {
                return new SourceLines(lines, null);
            }

            place = rows[^1].Key;
        }

        return new SourceLines(lines, place);
    }

    private async Task<FoundLine?> OpenAsync(DbConnection connection, HistoryFilter filter, Row row, string correlation, CancellationToken cancellation)
    {
        var messages = await store.ReadAsync(connection, row.Id, cancellation).ConfigureAwait(false);
        var own = messages?.Where(m => m.CorrelationId == correlation && (filter.Device is null || m.DeviceId == filter.Device)).ToList();
        if (own is null or [])
        {
            return null;
        }

        var exact = row with
        {
            FirstAt = own.Min(At),
            LastAt = own.Max(At),
            Messages = own.Count,
            Bytes = own.Sum(m => (long)m.Size),
            Devices = own.Select(m => m.DeviceId).Distinct().Count(),
            DeviceId = own.TrueForAll(m => m.DeviceId == own[0].DeviceId) ? own[0].DeviceId : null,
            CorrelationId = correlation,
        };
        var delivery = await records.DeliveryAsync(connection, filter.FieldId!, Subject(row.Id), cancellation).ConfigureAwait(false);
        return new FoundLine(row.Key, Line(filter.FieldId!, exact) with { Delivery = delivery });
    }

    private async Task<List<Row>> ReadAsync(DbConnection connection, HistoryFilter filter, HistoryKey place, int limit, bool withFilter, CancellationToken cancellation)
    {
        if (filter.Device is { } device)
        {
            var before = (place.At, place.IdLimit(HistoryKey.Data));
            return await devices.FindAsync(connection, filter.FieldId!, device, filter.Start, before, long.MaxValue, withFilter, cancellation)
                .Take(limit).Select(f => Row.Of(device, f)).ToListAsync(cancellation).ConfigureAwait(false);
        }

        return [.. await connection.QueryAsync<Row>(new CommandDefinition(
            OfField(withFilter),
            new { filter.FieldId, start = filter.Start, at = place.At, id = place.IdLimit(HistoryKey.Data), limit },
            cancellationToken: cancellation)).ConfigureAwait(false)];
    }

    private static string OfField(bool withFilter) => $"""
        SELECT id AS Id, last_at AS LastAt, first_at AS FirstAt, messages AS Messages, devices AS Devices, bytes AS Bytes, backlog AS Backlog,
            device_id AS DeviceId, correlation_id AS CorrelationId{(withFilter ? ", correlations AS Correlations" : "")}
        FROM message_chunk
        WHERE field_id = @FieldId AND last_at >= @start AND last_at <= @at AND (last_at < @at OR id < @id)
        ORDER BY last_at DESC, id DESC LIMIT @limit
        """;

    private static long At(MessageEvent message) => message.ArrivedAt.ToUnixTimeMilliseconds();

    private static string Subject(long chunkId) => chunkId.ToString(CultureInfo.InvariantCulture);

    private HistoryLine Line(string fieldId, Row row)
    {
        var details = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                row.Messages,
                row.Bytes,
                row.Devices,
                Backlog = row.Backlog != 0,
                FirstAt = times.In(fieldId, DateTimeOffset.FromUnixTimeMilliseconds(row.FirstAt)),
                LastAt = times.In(fieldId, DateTimeOffset.FromUnixTimeMilliseconds(row.LastAt)),
            },
            JsonSerializerOptions.Web);
        return new HistoryLine(
            DateTimeOffset.FromUnixTimeMilliseconds(row.LastAt), HistoryKinds.DataIn, "received", row.DeviceId, row.DeviceId ?? "devices", row.CorrelationId ?? "", Subject(row.Id), new RawJson(details));
    }

    private sealed record Row
    {
        public long Id { get; init; }

        public long LastAt { get; init; }

        public long FirstAt { get; init; }

        public long Messages { get; init; }

        public long Devices { get; init; }

        public long Bytes { get; init; }

        public long Backlog { get; init; }

        public string? DeviceId { get; init; }

        public string? CorrelationId { get; init; }

        public byte[]? Correlations { get; init; }

        public static Row Of(string device, FoundChunk found) => new()
        {
            Id = found.Chunk.Id,
            LastAt = found.Chunk.Sum.Last,
            FirstAt = found.Chunk.Sum.First,
            Messages = found.Chunk.Sum.Messages,
            Devices = 1,
            Bytes = found.Chunk.Sum.Bytes,
            Backlog = found.Backlog,
            DeviceId = device,
            CorrelationId = found.CorrelationId,
            Correlations = found.Correlations,
        };

        public HistoryKey Key => new(LastAt, HistoryKey.Data, Id);
    }
}
