namespace Sekisho.History.Store;

/// <summary>
/// How the messages of a chunk lie in the store, before encryption. Transient properties are not part of it. The field stands in the row
/// and is bound to the data by the encryption's context.
/// <code>
/// byte       version, 1 or 2
/// varint     messages, n (at least 1)
/// varint     position of the first message
/// svarint    arrival of the first message, Unix ms
/// n times:
///   byte     flags
///   varint   position - position before (0 for the first)
///   svarint  arrival - arrival before, ms (0 for the first)
///   text     device identifier              unless SameDevice
///   svarint  binding epoch
///   svarint  device time - arrival, ticks   if DeviceTime
///   svarint  its offset from UTC, minutes   if DeviceTime
///   text     sequence                       if Sequence
///   text     mode                           if Mode
///   text     place, empty for none          version 2 only
///   text     path, empty for none           version 2 only
///   text     source                         unless SameSource
///   id       correlation id                 unless SameCorrelation
///   id       message id
///   varint   size as received, bytes
///   bytes    payload
///
/// varint = LEB128, at most 10 bytes; svarint = zigzag varint; bytes = varint length and as many bytes;
/// text = bytes in UTF-8; id = 16 bytes when its flag says that it is 32 lower-case hex digits, else text
/// </code>
/// </summary>
internal static class ChunkFormat
{
    /// <summary>The version byte of messages without place and path.</summary>
    public const byte Version = 1;

    /// <summary>The version byte where a message has a place or a path.</summary>
    public const byte Placed = 2;

    /// <summary>Bytes of a message at least: flags, two deltas, epoch, message id, size, payload length.</summary>
    public const int LeastPerMessage = 7;

    /// <summary>Bytes of a message at most, besides its texts and payload.</summary>
    public const int MostPerMessage = 160;

    /// <summary>Version, count, position, arrival.</summary>
    public const int MostBefore = 31;

    /// <summary>Bytes of an id in short form.</summary>
    public const int IdSize = 16;

    /// <summary>The flags byte.</summary>
    [Flags]
    public enum Flags : byte
    {
        /// <summary>None of them.</summary>
        None = 0,

        /// <summary>Device time follows.</summary>
        DeviceTime = 1,

        /// <summary>Sequence follows.</summary>
        Sequence = 2,

        /// <summary>Mode follows.</summary>
        Mode = 4,

        /// <summary>Device as in the message before.</summary>
        SameDevice = 8,

        /// <summary>Source as in the message before.</summary>
        SameSource = 16,

        /// <summary>Correlation id as in the message before.</summary>
        SameCorrelation = 32,

        /// <summary>The correlation id is in short form.</summary>
        ShortCorrelation = 64,

        /// <summary>The message id is in short form.</summary>
        ShortMessageId = 128,
    }
}
