using System.Numerics;
using Sekisho.Domain.Events;

namespace Sekisho.History.Store;

/// <summary>
/// A Bloom filter over the correlation ids of a chunk, so that one id is found among many chunks without a row per message and without
/// decrypting each. It errs on one side only: an id that is in the chunk is always found; another one about once in 400 times.
/// <code>
/// byte 0   version, 1
/// byte 1-  bits, a power of two of bytes (8 to 64 Ki), bit i is bit i%8 of byte 1+i/8
/// </code>
/// Four bits per id: (a + k*b) modulo the number of bits for k = 0..3, where a is the FNV-1a hash (64 bits) of its UTF-16 units,
/// h = (h ^ h>>33) * 0xff51afd7ed558ccd, h ^= h>>33, and b = a rotated by 32, made odd. Sixteen bits are reserved per id.
/// </summary>
internal static class CorrelationFilter
{
    private const byte Version = 1;
    private const int Least = 8;
    private const int Most = 64 * 1024;
    private const int Probes = 4;

    /// <summary>Bytes of the filter for that many ids.</summary>
    public static int Size(int ids) => 1 + Math.Clamp((int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(ids, Most) * 2), Least, Most);

    /// <summary>Fills a filter; <paramref name="filter"/> has the size for the number of messages at most.</summary>
    public static void Fill(IReadOnlyList<MessageEvent> messages, Span<byte> filter)
    {
        filter.Clear();
        filter[0] = Version;
        var bits = filter[1..];
        string? before = null;
        for (var i = 0; i < messages.Count; i++)
        {
            // The messages of one request stand together and share the id.
            var id = messages[i].CorrelationId;
            if (ReferenceEquals(id, before) || id == before)
            {
                continue;
            }

            before = id;
            var (a, b) = Hash(id);
            for (var k = 0; k < Probes; k++, a += b)
            {
                var bit = (int)(a & (ulong)((bits.Length * 8) - 1));
                bits[bit >> 3] |= (byte)(1 << (bit & 7));
            }
        }
    }

    /// <summary>False when the id is certainly not in the chunk. A filter of another version excludes nothing.</summary>
    public static bool MayContain(ReadOnlySpan<byte> filter, string correlationId)
    {
        if (filter.Length <= Least || filter[0] != Version || !BitOperations.IsPow2(filter.Length - 1))
        {
            return true;
        }

        var bits = filter[1..];
        var (a, b) = Hash(correlationId);
        for (var k = 0; k < Probes; k++, a += b)
        {
            var bit = (int)(a & (ulong)((bits.Length * 8) - 1));
            if ((bits[bit >> 3] & (1 << (bit & 7))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static (ulong A, ulong B) Hash(string id)
    {
        var hash = 14695981039346656037UL;
        foreach (var unit in id)
        {
            hash = (hash ^ unit) * 1099511628211UL;
        }

        // FNV leaves its low bits to the last few units; the finaliser of MurmurHash3 spreads them.
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdUL;
        hash ^= hash >> 33;
        return (hash, BitOperations.RotateLeft(hash, 32) | 1);
    }
}
