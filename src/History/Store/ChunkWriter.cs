using System.Data.Common;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Npgsql;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Storage.Keys;

namespace Sekisho.History.Store;

/// <summary>
/// Writes chunks and their index within a transaction. Hot path: per chunk one encoding, one encryption and one row, per device in it one row.
/// Buffers are reused and nothing is allocated per message. One thread at a time.
/// </summary>
internal sealed class ChunkWriter(ChunkCipher cipher)
{
    private readonly ChunkEncoder _encoder = new();
    private readonly Dictionary<string, MessageSum> _devices = [];
    private byte[] _data = new byte[64 * 1024];
    private byte[] _correlations = new byte[256];

    /// <summary>Writes all of them.</summary>
    public void Write(IReadOnlyList<MessageChunk> chunks, DbTransaction transaction)
    {
        if (chunks.Count == 0)
        {
            return;
        }

        using IChunkRows rows = transaction switch
        {
            SqliteTransaction sqlite => new SqliteChunkRows(sqlite),
            NpgsqlTransaction postgres => new PostgreSqlChunkRows(postgres),
            _ => throw new ArgumentException($"A transaction of {transaction.GetType()} is of no known dialect.", nameof(transaction)),
        };
        foreach (var chunk in chunks)
        {
            Write(chunk, rows);
        }
    }

    private void Write(MessageChunk chunk, IChunkRows rows)
    {
        var sum = Sum(chunk.Messages);
        var plain = _encoder.Encode(chunk.Messages);
        var data = Room(ref _data, plain.Length + ColumnCipher.Overhead);
        cipher.Protect(plain, chunk.Id, chunk.FieldId, data.Span);
        var correlations = Room(ref _correlations, CorrelationFilter.Size(chunk.Messages.Count));
        CorrelationFilter.Fill(chunk.Messages, correlations.Span);
        var first = chunk.Messages[0];
        rows.Chunk(new ChunkRow(
            chunk.Id, chunk.FieldId, chunk.Backlog, sum, _devices.Count,
            _devices.Count == 1 ? first.DeviceId : null, OneCorrelation(chunk.Messages) ? first.CorrelationId : null, correlations, data));
        rows.Index(chunk.Id, _devices);
    }

    /// <summary>Fills <see cref="_devices"/> with the sum of each device and returns that of all.</summary>
    private MessageSum Sum(IReadOnlyList<MessageEvent> messages)
    {
        _devices.Clear();
        var all = MessageSum.Empty;
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var at = message.ArrivedAt.ToUnixTimeMilliseconds();
            ref var device = ref CollectionsMarshal.GetValueRefOrAddDefault(_devices, message.DeviceId, out var known);
            if (!known)
            {
                device = MessageSum.Empty;
            }

            device.Add(at, message.Size);
            all.Add(at, message.Size);
        }

        return all;
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

    private static Memory<byte> Room(ref byte[] buffer, int size)
    {
        if (buffer.Length < size)
        {
            buffer = new byte[Math.Max(size, buffer.Length * 2)];
        }

        return buffer.AsMemory(0, size);
    }
}
