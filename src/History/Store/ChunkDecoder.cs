using System.Text;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.History.Store;

/// <summary>Reads messages in <see cref="ChunkFormat"/>. Payloads are slices of the data, not copies.</summary>
internal ref struct ChunkDecoder
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private readonly ReadOnlyMemory<byte> _data;
    private readonly ReadOnlySpan<byte> _span;
    private int _at;
    private bool _isPlaced;

    private ChunkDecoder(ReadOnlyMemory<byte> data)
    {
        _data = data;
        _span = data.Span;
    }

    /// <summary>The messages in order.</summary>
    /// <param name="data">The chunk, decrypted.</param>
    /// <param name="fieldId">The field of the chunk.</param>
    /// <exception cref="StorageException">The bytes are no chunk of a known version.</exception>
    public static IReadOnlyList<MessageEvent> Decode(ReadOnlyMemory<byte> data, string fieldId)
    {
        var decoder = new ChunkDecoder(data);
        try
        {
            return decoder.Messages(fieldId);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            // Every read is checked by the runtime; what it finds is said in the words of the store.
            throw Damaged(e);
        }
    }

    private static StorageException Damaged(Exception? inner = null) =>
        new("A kept chunk of messages cannot be read: it is cut short, changed, or was written by a newer version of Sekisho. Restore it from a backup.", inner);

    private MessageEvent[] Messages(string fieldId)
    {
        var version = _span[_at++];
        if (version is not (ChunkFormat.Version or ChunkFormat.Placed))
        {
            throw Damaged();
        }

        _isPlaced = version == ChunkFormat.Placed;

        var count = Varint();
        if (count == 0 || count > (ulong)_span.Length / ChunkFormat.LeastPerMessage)
        {
            throw Damaged();
        }

        var messages = new MessageEvent[count];
        var position = checked((long)Varint());
        var arrival = Signed();
        MessageEvent? before = null;
        for (var i = 0; i < messages.Length; i++)
        {
            before = messages[i] = Message(fieldId, before, ref position, ref arrival);
        }

        return _at == _span.Length ? messages : throw Damaged();
    }

    private MessageEvent Message(string fieldId, MessageEvent? before, ref long position, ref long arrival)
    {
        var flags = (ChunkFormat.Flags)_span[_at++];
        position = checked(position + (long)Varint());
        arrival = checked(arrival + Signed());
        var arrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(arrival);
        var device = Unless(flags, ChunkFormat.Flags.SameDevice, before?.DeviceId);
        var epoch = checked((int)Signed());
        DateTimeOffset? deviceTime = null;
        if (flags.HasFlag(ChunkFormat.Flags.DeviceTime))
        {
            var utc = new DateTimeOffset(checked(arrivedAt.UtcTicks + Signed()), TimeSpan.Zero);
            deviceTime = utc.ToOffset(TimeSpan.FromMinutes(checked((int)Signed())));
        }

        var sequence = flags.HasFlag(ChunkFormat.Flags.Sequence) ? Text() : null;
        var mode = flags.HasFlag(ChunkFormat.Flags.Mode) ? Text() : null;
        var place = _isPlaced ? Known(Text()) : null;
        var path = _isPlaced ? Known(Text()) : null;
        var source = Unless(flags, ChunkFormat.Flags.SameSource, before?.Source);
        var correlation = flags.HasFlag(ChunkFormat.Flags.SameCorrelation) && before is not null
            ? before.CorrelationId
            : Id(flags.HasFlag(ChunkFormat.Flags.ShortCorrelation));
        var id = Id(flags.HasFlag(ChunkFormat.Flags.ShortMessageId));
        var size = checked((int)Varint());
        var length = checked((int)Varint());
        var payload = _data.Slice(_at, length);
        _at += length;
        return new MessageEvent
        {
            Position = position,
            ArrivedAt = arrivedAt,
            CorrelationId = correlation,
            FieldId = fieldId,
            DeviceId = device,
            Epoch = epoch,
            DeviceTime = deviceTime,
            Sequence = sequence,
            Mode = mode,
            Place = place,
            Path = path,
            Source = source,
            Size = size,
            Payload = payload,
            MessageId = id,
        };
    }

    private static string? Known(string text) => text.Length > 0 ? text : null;

    private string Unless(ChunkFormat.Flags flags, ChunkFormat.Flags same, string? before) =>
        flags.HasFlag(same) ? before ?? throw Damaged() : Text();

    private string Id(bool isShort)
    {
        if (!isShort)
        {
            return Text();
        }

        _at += ChunkFormat.IdSize;
        return Convert.ToHexStringLower(_span.Slice(_at - ChunkFormat.IdSize, ChunkFormat.IdSize));
    }

    private string Text()
    {
        var length = checked((int)Varint());
        _at += length;
        return Strict.GetString(_span.Slice(_at - length, length));
    }

    private long Signed() => Store.Varint.ReadSigned(_span, ref _at);

    private ulong Varint() => Store.Varint.Read(_span, ref _at);
}
