using System.Buffers;
using System.Text;
using Sekisho.Domain.Events;

namespace Sekisho.History.Store;

/// <summary>
/// Writes messages in <see cref="ChunkFormat"/>. Hot path: one buffer is reused and nothing is allocated per message. One thread at a time.
/// </summary>
internal sealed class ChunkEncoder
{
    private const int ShortText = 0x7f / 3;
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;
    private bool _isPlaced;

    /// <summary>Encodes; the span is valid until the next call.</summary>
    /// <param name="messages">At least one, in order of position.</param>
    public ReadOnlySpan<byte> Encode(IReadOnlyList<MessageEvent> messages)
    {
        _length = 0;
        Ensure(ChunkFormat.MostBefore);
        var first = messages[0];
        var position = first.Position;
        var arrival = first.ArrivedAt.ToUnixTimeMilliseconds();
        _isPlaced = IsPlaced(messages);
        _buffer[_length++] = _isPlaced ? ChunkFormat.Placed : ChunkFormat.Version;
        Varint((ulong)messages.Count);
        Varint((ulong)position);
        Signed(arrival);
        MessageEvent? before = null;
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var at = message.ArrivedAt.ToUnixTimeMilliseconds();
            Message(message, before, (ulong)(message.Position - position), at, at - arrival);
            (position, arrival, before) = (message.Position, at, message);
        }

        return _buffer.AsSpan(0, _length);
    }

    private void Message(MessageEvent message, MessageEvent? before, ulong positionDelta, long arrival, long arrivalDelta)
    {
        Ensure(ChunkFormat.MostPerMessage + message.Payload.Length + (3 * (message.DeviceId.Length + (message.Sequence?.Length ?? 0)
            + (message.Mode?.Length ?? 0) + (message.Place?.Length ?? 0) + (message.Path?.Length ?? 0) + message.Source.Length + message.CorrelationId.Length + message.MessageId.Length)));
        var flagsAt = _length++;
        var flags = ChunkFormat.Flags.None;
        Varint(positionDelta);
        Signed(arrivalDelta);
        if (message.DeviceId == before?.DeviceId)
        {
            flags |= ChunkFormat.Flags.SameDevice;
        }
        else
        {
            Text(message.DeviceId);
        }

        Signed(message.Epoch);
        if (message.DeviceTime is { } deviceTime)
        {
            flags |= ChunkFormat.Flags.DeviceTime;
            Signed(deviceTime.UtcTicks - DateTimeOffset.FromUnixTimeMilliseconds(arrival).UtcTicks);
            Signed(deviceTime.TotalOffsetMinutes);
        }

        flags |= Optional(message.Sequence, ChunkFormat.Flags.Sequence) | Optional(message.Mode, ChunkFormat.Flags.Mode);
        if (_isPlaced)
        {
            Text(message.Place ?? "");
            Text(message.Path ?? "");
        }

        if (message.Source == before?.Source)
        {
            flags |= ChunkFormat.Flags.SameSource;
        }
        else
        {
            Text(message.Source);
        }

        flags |= message.CorrelationId == before?.CorrelationId
            ? ChunkFormat.Flags.SameCorrelation
            : Id(message.CorrelationId, ChunkFormat.Flags.ShortCorrelation);
        flags |= Id(message.MessageId, ChunkFormat.Flags.ShortMessageId);
        Varint((ulong)message.Size);
        Varint((ulong)message.Payload.Length);
        message.Payload.Span.CopyTo(_buffer.AsSpan(_length));
        _length += message.Payload.Length;
        _buffer[flagsAt] = (byte)flags;
    }

    private static bool IsPlaced(IReadOnlyList<MessageEvent> messages)
    {
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i].Place is not null || messages[i].Path is not null)
            {
                return true;
            }
        }

        return false;
    }

    private ChunkFormat.Flags Optional(string? text, ChunkFormat.Flags flag)
    {
        if (text is null)
        {
            return ChunkFormat.Flags.None;
        }

        Text(text);
        return flag;
    }

    private ChunkFormat.Flags Id(string id, ChunkFormat.Flags whenShort)
    {
        if (id.Length == 2 * ChunkFormat.IdSize && !id.AsSpan().ContainsAnyExcept(Hex)
            && Convert.FromHexString(id, _buffer.AsSpan(_length, ChunkFormat.IdSize), out _, out _) == OperationStatus.Done)
        {
            _length += ChunkFormat.IdSize;
            return whenShort;
        }

        Text(id);
        return ChunkFormat.Flags.None;
    }

    private void Text(string text)
    {
        if (text.Length <= ShortText)
        {
            // One pass: the length takes one byte, whatever the characters.
            var bytes = Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length + 1));
            _buffer[_length] = (byte)bytes;
            _length += 1 + bytes;
            return;
        }

        Varint((ulong)Encoding.UTF8.GetByteCount(text));
        _length += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length));
    }

    private void Signed(long value) => Store.Varint.WriteSigned(_buffer, ref _length, value);

    private void Varint(ulong value) => Store.Varint.Write(_buffer, ref _length, value);

    private void Ensure(int more)
    {
        if (_buffer.Length - _length < more)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + more));
        }
    }
}
