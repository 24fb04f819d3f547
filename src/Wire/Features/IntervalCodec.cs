using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using Sekisho.Wire.Bytes;

namespace Sekisho.Wire.Features;

/// <summary>
/// One interval as bytes. Version 1:
/// <code>
/// byte 0      'I'
/// byte 1      version, 1
/// byte 2      0 body as it is, 1 body compressed with Brotli (RFC 7932)
/// number      size of the body before compression
/// rest        body
/// </code>
/// A number is LEB128, a signed one zigzag. The body holds columns, because the same field of neighbours is alike:
/// <code>
/// sequence · start · length · state of the sensor
/// MACs, ascending, each as the difference to the one before
/// IPv4 addresses, ascending, as differences · IPv6 addresses, 16 bytes each
/// names of services, each a size and visible characters of ASCII
/// number of devices, then for each field the values of all devices
/// number of flows, then for each field the values of all flows
/// </code>
/// Devices and flows name MACs, addresses and services by their place in these lists (addresses from 1, 0 for none). Times are differences to the
/// start. A histogram is one byte that says which classes are not empty, the difference between the packets and their sum, and the classes that
/// are not empty without the last of them, which follows from the others. CPU is kept in 1/10,000 of a core, the clock's offset in microseconds.
/// </summary>
public static class IntervalCodec
{
    /// <summary>Version of the layout.</summary>
    public const byte Version = 1;

    /// <summary>Bytes before the size of the body.</summary>
    public const int HeaderSize = 3;

    /// <summary>Addresses of one device at most.</summary>
    public const int MostAddresses = 8;

    /// <summary>Characters of a service's name at most.</summary>
    public const int LongestService = 64;

    internal const byte Mark = (byte)'I';
    private const byte Plain = 0;
    private const byte Brotli = 1;

    // Measured on intervals of a factory, of real captures and of 100,000 flows: quality 5 saves another 3 to 14 % of the bytes for four times the work,
    // deflate takes more for less at each level. On a small core the work counts: with many short flows quality 5 was a fifth of all that the sensor did.
    private const int Quality = 2;
    private const int Window = 18;

    /// <summary>The interval as one message.</summary>
    /// <exception cref="ArgumentException">A value is outside what its documentation says: a negative count, a histogram without 8 classes, too many addresses.</exception>
    public static byte[] Encode(IntervalFeatures interval)
    {
        using var writer = new ByteWriter(16 * 1024);
        BodyWriter.Write(interval, writer);
        var body = writer.Written;
        var packed = ArrayPool<byte>.Shared.Rent(body.Length);
        try
        {
            // What does not fit has not become smaller.
            return BrotliEncoder.TryCompress(body, packed.AsSpan(0, body.Length - 1), out var size, Quality, Window)
                ? Message(Brotli, body.Length, packed.AsSpan(0, size))
                : Message(Plain, body.Length, body);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    /// <summary>Reads one message. Whatever the bytes are, it throws nothing and makes no more room than the limits say.</summary>
    /// <param name="message">What <see cref="Encode"/> made, or anything else.</param>
    /// <param name="limits">What to put up with.</param>
    /// <param name="interval">The interval.</param>
    /// <param name="fault">What is wrong, in English, without any value of the message.</param>
    public static bool TryDecode(ReadOnlySpan<byte> message, WireLimits limits, [NotNullWhen(true)] out IntervalFeatures? interval, [NotNullWhen(false)] out string? fault)
    {
        ArgumentNullException.ThrowIfNull(limits);
        interval = null;
        var reader = new ByteReader(message);
        if (reader.Byte() != Mark || reader.Byte() != Version)
        {
            fault = $"it is no interval of version {Version}";
            return false;
        }

        var packing = reader.Byte();
        var size = reader.Small(limits.Body);
        if (reader.Fault is not null)
        {
            fault = reader.Fault;
            return false;
        }

        var rest = reader.Raw(reader.Left);
        if (packing == Plain)
        {
            fault = rest.Length == size ? null : "the body has another size than stated";
        }
        else if (packing == Brotli)
        {
            // A body that grows beyond the stated size does not fit, so a small message never becomes a large one unasked.
            var body = new byte[size];
            fault = BrotliDecoder.TryDecompress(rest, body, out var written) && written == size ? null : "the body cannot be decompressed to its stated size";
            rest = body;
        }
        else
        {
            fault = "the packing is unknown";
        }

        if (fault is not null)
        {
            return false;
        }

        interval = BodyReader.Read(rest, limits, out fault);
        return interval is not null;
    }

    /// <summary>The message around a body.</summary>
    internal static byte[] Message(byte packing, int bodySize, ReadOnlySpan<byte> content)
    {
        using var writer = new ByteWriter(content.Length + 16);
        writer.Byte(Mark);
        writer.Byte(Version);
        writer.Byte(packing);
        writer.Count(bodySize);
        writer.Raw(content);
        return writer.Written.ToArray();
    }
}
