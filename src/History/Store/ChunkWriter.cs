using System.Data;
using System.Data.Common;
using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Storage.Keys;

namespace Sekisho.History.Store;

/// <summary>
/// Writes chunks and their index within a transaction. Hot path: per chunk one encryption and one insert, per device in it one row through a
/// statement that is prepared once per transaction (PostgreSQL: all rows of a chunk in one round trip). Buffers are reused. One thread at a time.
/// </summary>
internal sealed class ChunkWriter(ChunkCipher cipher)
{
    private const string InsertChunk = """
        INSERT INTO message_chunk (id, field_id, backlog, first_at, last_at, messages, devices, bytes, device_id, correlation_id, correlations, data)
        VALUES (@id, @field_id, @backlog, @first_at, @last_at, @messages, @devices, @bytes, @device_id, @correlation_id, @correlations, @data)
        """;

    private const string InsertIndex = """
        INSERT INTO message_index (device_id, last_at, chunk_id, first_at, messages, bytes)
        VALUES (@device_id, @last_at, @chunk_id, @first_at, @messages, @bytes)
        """;

    private const string InsertIndexRows = """
        INSERT INTO message_index (device_id, last_at, chunk_id, first_at, messages, bytes)
        SELECT d, l, @chunk_id, f, m, b FROM unnest(@device_id, @last_at, @first_at, @messages, @bytes) AS r (d, l, f, m, b)
        """;

    private readonly ChunkEncoder _encoder = new();
    private readonly Dictionary<string, Share> _devices = [];
    private byte[] _data = new byte[64 * 1024];
    private byte[] _filter = [];

    /// <summary>Writes all of them.</summary>
    public void Write(IReadOnlyList<MessageChunk> chunks, DbTransaction transaction)
    {
        if (chunks.Count == 0)
        {
            return;
        }

        using var chunkRow = new Insert(transaction, InsertChunk, "id", "field_id", "backlog", "first_at", "last_at", "messages", "devices", "bytes", "device_id", "correlation_id", "correlations", "data");
        using var indexRow = transaction is NpgsqlTransaction
            ? null
            : new Insert(transaction, InsertIndex, "device_id", "last_at", "chunk_id", "first_at", "messages", "bytes");
        foreach (var chunk in chunks)
        {
            WriteChunk(chunk, chunkRow);
            if (indexRow is null)
            {
                WriteIndexRows(chunk.Id, (NpgsqlTransaction)transaction);
            }
            else
            {
                WriteIndex(chunk.Id, indexRow);
            }
        }
    }

    private void WriteChunk(MessageChunk chunk, Insert row)
    {
        var whole = Measure(chunk.Messages);
        var plain = _encoder.Encode(chunk.Messages);
        var length = plain.Length + ColumnCipher.Overhead;
        if (_data.Length < length)
        {
            _data = new byte[Math.Max(length, _data.Length * 2)];
        }

        cipher.Protect(plain, chunk.Id, chunk.FieldId, _data.AsSpan(0, length));
        var filterSize = CorrelationFilter.Size(chunk.Messages.Count);
        if (_filter.Length < filterSize)
        {
            _filter = new byte[filterSize];
        }

        CorrelationFilter.Fill(chunk.Messages, _filter.AsSpan(0, filterSize));
        var first = chunk.Messages[0];
        row.Set(0, chunk.Id);
        row.Set(1, chunk.FieldId);
        row.Set(2, chunk.Backlog ? 1L : 0L);
        row.Set(3, whole.First);
        row.Set(4, whole.Last);
        row.Set(5, whole.Messages);
        row.Set(6, (long)_devices.Count);
        row.Set(7, whole.Bytes);
        row.Set(8, _devices.Count == 1 ? first.DeviceId : null);
        row.Set(9, OneCorrelation(chunk.Messages) ? first.CorrelationId : null);
        row.Set(10, _filter, filterSize);
        row.Set(11, _data, length);
        row.Execute();
    }

    /// <summary>Fills <see cref="_devices"/> with each device's share and returns the whole.</summary>
    private Share Measure(IReadOnlyList<MessageEvent> messages)
    {
        _devices.Clear();
        var whole = Share.Empty;
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var at = message.ArrivedAt.ToUnixTimeMilliseconds();
            ref var share = ref CollectionsMarshal.GetValueRefOrAddDefault(_devices, message.DeviceId, out var known);
            if (!known)
            {
                share = Share.Empty;
            }

            share.Add(at, message.Size);
            whole.Add(at, message.Size);
        }

        return whole;
    }

    private static bool OneCorrelation(IReadOnlyList<MessageEvent> messages)
    {
        var first = messages[0].CorrelationId;
        for (var i = 1; i < messages.Count; i++)
        {
            if (messages[i].CorrelationId != first)
            {
                return false;
            }
        }

        return true;
    }

    private void WriteIndex(long chunkId, Insert row)
    {
        row.Set(2, chunkId);
        foreach (var (device, share) in _devices)
        {
            row.Set(0, device);
            row.Set(1, share.Last);
            row.Set(3, share.First);
            row.Set(4, share.Messages);
            row.Set(5, share.Bytes);
            row.Execute();
        }
    }

    private void WriteIndexRows(long chunkId, NpgsqlTransaction transaction)
    {
        using var command = new NpgsqlCommand(InsertIndexRows, transaction.Connection, transaction);
        var parameters = command.Parameters;
        parameters.AddWithValue("chunk_id", NpgsqlDbType.Bigint, chunkId);
        parameters.AddWithValue("device_id", NpgsqlDbType.Array | NpgsqlDbType.Text, _devices.Keys.ToArray());
        parameters.AddWithValue("last_at", NpgsqlDbType.Array | NpgsqlDbType.Bigint, _devices.Values.Select(s => s.Last).ToArray());
        parameters.AddWithValue("first_at", NpgsqlDbType.Array | NpgsqlDbType.Bigint, _devices.Values.Select(s => s.First).ToArray());
        parameters.AddWithValue("messages", NpgsqlDbType.Array | NpgsqlDbType.Bigint, _devices.Values.Select(s => s.Messages).ToArray());
        parameters.AddWithValue("bytes", NpgsqlDbType.Array | NpgsqlDbType.Bigint, _devices.Values.Select(s => s.Bytes).ToArray());
        command.ExecuteNonQuery();
    }

    private record struct Share(long First, long Last, long Messages, long Bytes)
    {
        public static Share Empty => new(long.MaxValue, long.MinValue, 0, 0);

        public void Add(long at, int bytes)
        {
            First = Math.Min(First, at);
            Last = Math.Max(Last, at);
            Messages++;
            Bytes += bytes;
        }
    }

    /// <summary>A statement that is prepared at its first execution and run for many rows.</summary>
    private sealed class Insert : IDisposable
    {
        private readonly DbCommand _command;
        private readonly DbParameter[] _parameters;

        public Insert(DbTransaction transaction, string sql, params string[] names)
        {
            _command = transaction.Connection!.CreateCommand();
            _command.Transaction = transaction;
            _command.CommandText = sql;
            _parameters = new DbParameter[names.Length];
            for (var i = 0; i < names.Length; i++)
            {
                _parameters[i] = _command.CreateParameter();
                _parameters[i].ParameterName = "@" + names[i];
                _command.Parameters.Add(_parameters[i]);
            }
        }

        public void Set(int index, object? value)
        {
            // A text that is absent still needs its type; all other columns have a value in every row.
            if (value is null)
            {
                _parameters[index].DbType = DbType.String;
            }

            _parameters[index].Value = value ?? DBNull.Value;
        }

        public void Set(int index, byte[] buffer, int length)
        {
            _parameters[index].Value = buffer;
            _parameters[index].Size = length;
        }

        public void Execute() => _command.ExecuteNonQuery();

        public void Dispose() => _command.Dispose();
    }
}
