using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations.OperatorAudit;

/// <summary>
/// Hashes entries with a key derived from the master key: who can write to the store but has no key cannot make a chain that fits. Any thread.
/// <code>
/// byte 0      version, 1
/// byte 1      kind, 1 entry, 2 head
/// bytes 2-9   id (head: last id), big endian
/// entry only: bytes 10-17 time, big endian; then actor, action, field, target, outcome, correlation id,
///             each 4 bytes length (-1 for null), big endian, and UTF-8
/// last 32     hash of the entry before (head: of the last entry)
/// </code>
/// </summary>
internal sealed class AuditHasher(MasterKey master)
{
    /// <summary>What stands before the first entry.</summary>
    public static readonly byte[] Start = new byte[32];

    private const byte Version = 1;
    private readonly byte[] _key = master.Derive("operator-audit");

    public byte[] Of(AuditRow row)
    {
        var buffer = Begin(kind: 1, row.Id);
        BinaryPrimitives.WriteInt64BigEndian(buffer.GetSpan(8), row.At);
        buffer.Advance(8);
        foreach (var text in (string?[])[row.Actor, row.Action, row.FieldId, row.Target, row.Outcome, row.CorrelationId])
        {
            var length = text is null ? -1 : Encoding.UTF8.GetByteCount(text);
            BinaryPrimitives.WriteInt32BigEndian(buffer.GetSpan(4), length);
            buffer.Advance(4);
            if (length > 0)
            {
                Encoding.UTF8.GetBytes(text, buffer);
            }
        }

        buffer.Write(row.PreviousHash);
        return HMACSHA256.HashData(_key, buffer.WrittenSpan);
    }

    public byte[] Seal(long lastId, byte[] lastHash)
    {
        var buffer = Begin(kind: 2, lastId);
        buffer.Write(lastHash);
        return HMACSHA256.HashData(_key, buffer.WrittenSpan);
    }

    private static ArrayBufferWriter<byte> Begin(byte kind, long id)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        buffer.Write([Version, kind]);
        BinaryPrimitives.WriteInt64BigEndian(buffer.GetSpan(8), id);
        buffer.Advance(8);
        return buffer;
    }
}
