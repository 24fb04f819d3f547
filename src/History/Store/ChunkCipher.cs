using System.Buffers.Binary;
using System.Text;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.History.Store;

/// <summary>
/// Encryption of chunks: one AES-GCM call each. The context is the chunk's identifier (8 bytes, big endian) and its field, so that a chunk
/// moved to another row or another field does not decrypt. Any thread.
/// </summary>
internal sealed class ChunkCipher(MasterKey key) : IDisposable
{
    private const int MostContext = 256;
    private readonly ColumnCipher _cipher = new(key, "message");

    /// <summary>Encrypts into the destination, <see cref="ColumnCipher.Overhead"/> bytes longer than the plaintext.</summary>
    public void Protect(ReadOnlySpan<byte> plain, long chunkId, string fieldId, Span<byte> destination)
    {
        Span<byte> context = stackalloc byte[MostContext];
        _cipher.Protect(plain, Context(chunkId, fieldId, context), destination);
    }

    /// <summary>Decrypts and decodes.</summary>
    /// <exception cref="StorageException">Changed, moved, or written with another key.</exception>
    public IReadOnlyList<MessageEvent> Open(byte[] data, long chunkId, string fieldId)
    {
        Span<byte> context = stackalloc byte[MostContext];
        return ChunkDecoder.Decode(_cipher.Unprotect(data, Context(chunkId, fieldId, context)), fieldId);
    }

    /// <inheritdoc/>
    public void Dispose() => _cipher.Dispose();

    private static ReadOnlySpan<byte> Context(long chunkId, string fieldId, Span<byte> context)
    {
        BinaryPrimitives.WriteInt64BigEndian(context, chunkId);
        return context[..(8 + Encoding.UTF8.GetBytes(fieldId, context[8..]))];
    }
}
