using System.Data.Common;
using Dapper;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.History.Store;

/// <summary>Reads chunks back. Any thread.</summary>
internal sealed class MessageStore(Databases databases, ChunkCipher cipher, RecentChunks recent) : IMessageStore
{
    /// <inheritdoc/>
    /// <exception cref="StorageException">The chunk was changed outside Sekisho or written with another key.</exception>
    public Task<IReadOnlyList<MessageEvent>?> ReadChunkAsync(long chunkId, CancellationToken cancellation) => recent.Take(chunkId) is { } messages
        ? Task.FromResult<IReadOnlyList<MessageEvent>?>(messages)
        : databases.State.ReadAsync(connection => ReadAsync(connection, chunkId, cancellation), cancellation);

    /// <summary>Reads from the database on a connection of the caller.</summary>
    public async Task<IReadOnlyList<MessageEvent>?> ReadAsync(DbConnection connection, long chunkId, CancellationToken cancellation)
    {
        var row = await connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition(
            "SELECT field_id AS FieldId, data AS Data FROM message_chunk WHERE id = @chunkId", new { chunkId }, cancellationToken: cancellation)).ConfigureAwait(false);
        return row is null ? null : cipher.Open(row.Data, chunkId, row.FieldId);
    }

    private sealed record Row(string FieldId, byte[] Data);
}
