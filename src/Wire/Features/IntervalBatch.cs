using System.Diagnostics.CodeAnalysis;
using Sekisho.Wire.Bytes;

namespace Sekisho.Wire.Features;

/// <summary>
/// Several intervals in one upload, each as <see cref="IntervalCodec"/> made it. Version 1:
/// <code>
/// byte 0      'B'
/// byte 1      version, 1
/// number      how many intervals
/// each        number: its size · message
/// </code>
/// </summary>
public static class IntervalBatch
{
    /// <summary>Version of the layout.</summary>
    public const byte Version = 1;

    /// <summary>Bytes before the number of intervals.</summary>
    public const int HeaderSize = 2;

    /// <summary>Media type of a batch.</summary>
    public const string MediaType = "application/vnd.sekisho.intervals";

    private const byte Mark = (byte)'B';
    private const int LeastMessage = IntervalCodec.HeaderSize + 2;

    /// <summary>The messages as one upload.</summary>
    public static byte[] Encode(IReadOnlyList<byte[]> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        using var writer = new ByteWriter(messages.Sum(m => m.Length) + 1024);
        writer.Byte(Mark);
        writer.Byte(Version);
        writer.Count(messages.Count);
        foreach (var message in messages)
        {
            writer.Count(message.Length);
            writer.Raw(message);
        }

        return writer.Written.ToArray();
    }

    /// <summary>Takes an upload apart. Whatever the bytes are, it throws nothing.</summary>
    /// <param name="batch">What <see cref="Encode"/> made, or anything else.</param>
    /// <param name="limits">What to put up with.</param>
    /// <param name="messages">Places of the messages in <paramref name="batch"/>; each is still to be decoded.</param>
    /// <param name="fault">What is wrong, in English.</param>
    public static bool TryDecode(ReadOnlySpan<byte> batch, WireLimits limits, [NotNullWhen(true)] out IReadOnlyList<Range>? messages, [NotNullWhen(false)] out string? fault)
    {
        ArgumentNullException.ThrowIfNull(limits);
        messages = null;
        var reader = new ByteReader(batch);
        if (reader.Byte() != Mark || reader.Byte() != Version)
        {
            fault = $"it is no batch of version {Version}";
            return false;
        }

        var places = new Range[reader.Items(limits.Intervals, LeastMessage)];
        for (var i = 0; i < places.Length; i++)
        {
            var size = reader.Small(int.MaxValue);
            var start = batch.Length - reader.Left;
            reader.Raw(size);
            places[i] = start..(batch.Length - reader.Left);
        }

        if (reader.Left > 0)
        {
            reader.Fail("bytes follow the last interval");
        }

        fault = reader.Fault;
        messages = fault is null ? places : null;
        return fault is null;
    }
}
