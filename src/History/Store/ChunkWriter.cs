using System.Data.Common;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Storage.Keys;

namespace Sekisho.History.Store;

/// <summary>
/// Writes chunks within a transaction, and what is due of their index. Hot path: per chunk one encoding, one encryption and one row; which
/// devices it holds goes to the tail of the index. Buffers are reused and nothing is allocated per message. One thread at a time.
/// </summary>
internal sealed class ChunkWriter(ChunkCipher cipher, DeviceTail tail)
{
    private readonly ChunkEncoder _encoder = new();
    private readonly Dictionary<string, MessageSum> _devices = [];
    private byte[] _data = new byte[64 * 1024];
    private byte[] _correlations = new byte[256];

    /// <summary>Writes all of them.</summary>
    public void Write(IReadOnlyList<MessageChunk> chunks, DbTransaction transaction)
    {
        Resolve(transaction);
        if (chunks.Count == 0)
        {
            return;
        }

        using var rows = IChunkRows.In(transaction);
        foreach (var chunk in chunks)
        {
            Write(chunk, rows);
        }

        tail.Choose(DeviceTail.Growth);
        if (tail.Leaving.Count > 0)
        {
            rows.Index(tail.Leaving, tail.Mark);
        }
    }

    /// <summary>The transaction is durable.</summary>
    public void Committed() => tail.Settle();

    // A commit whose confirmation was lost may have happened all the same: then its chunks are in the table, and are part of the index.
    private void Resolve(DbTransaction transaction)
    {
        if (tail.Noted is { } chunkId
            && transaction.Connection!.ExecuteScalar<long>("SELECT COUNT(*) FROM message_chunk WHERE id = @chunkId", new { chunkId }, transaction) > 0)
        {
            tail.Settle();
        }

        tail.Forget();
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
        foreach (var (device, own) in _devices)
        {
            tail.Note(device, new DeviceChunk(chunk.Id, own));
        }
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
            MessageSum.Add(_devices, message.DeviceId, at, message.Size);
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
