using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Sekisho.Verification.Clients;

/// <summary>What a server made of an offer.</summary>
/// <param name="Version">Protocol version that it chose; 0 when it refused.</param>
/// <param name="Suite">Cipher suite that it chose; 0 when it refused.</param>
public readonly record struct TlsChoice(int Version, int Suite)
{
    /// <summary>True when it went on.</summary>
    public bool IsAccepted => Version != 0;
}

/// <summary>
/// Offers one protocol version and chosen suites to a TLS server and reads what it chooses, byte by byte: an old client's offer that the TLS library of
/// today would not make any more (RFC 5246 section 7.4.1, RFC 8446 section 4.1.2).
/// </summary>
public static class TlsOffer
{
    /// <summary>Versions of old clients, by name: SSL 3.0 to TLS 1.2.</summary>
    public static readonly IReadOnlyList<(string Name, int Version)> Versions = [("SSL 3.0", 0x0300), ("TLS 1.0", 0x0301), ("TLS 1.1", 0x0302), ("TLS 1.2", 0x0303)];

    /// <summary>Suites of old clients that must not be spoken: without forward secrecy, with RC4, DES, CBC, export or no encryption.</summary>
    public static readonly IReadOnlyList<int> Weak =
    [
        0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0008, 0x0009, 0x000A, 0x0014, 0x0015, 0x0016, 0x002F, 0x0033, 0x0035, 0x0039, 0x003B, 0x003C, 0x003D, 0x0041, 0x0084, 0x0096, 0x009C, 0x009D,
        0xC002, 0xC004, 0xC006, 0xC007, 0xC008, 0xC009, 0xC00A, 0xC010, 0xC011, 0xC012, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028,
    ];

    /// <summary>Suites with forward secrecy and authenticated encryption for TLS 1.2.</summary>
    public static readonly IReadOnlyList<int> Strong = [0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9];

    /// <summary>Offers and reads the answer. A connection that is closed or reset is a refusal.</summary>
    public static async Task<TlsChoice> AskAsync(string host, int port, int version, IReadOnlyList<int> suites)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(host, port).ConfigureAwait(false);
        var stream = socket.GetStream();
        await stream.WriteAsync(Hello(version, suites)).ConfigureAwait(false);
        var answer = new byte[44];
        try
        {
            // Record header (5), handshake header (4), version (2), random (32), length of the session id (1); an alert is shorter.
            var read = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false).AsTask().WaitAsync(TimeSpan.FromSeconds(20)).ConfigureAwait(false);
            if (read < answer.Length || answer[0] != 22 || answer[5] != 2)
            {
                return default;
            }

            var rest = new byte[answer[43] + 2];
            await stream.ReadExactlyAsync(rest).ConfigureAwait(false);
            return new TlsChoice(BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(9)), BinaryPrimitives.ReadUInt16BigEndian(rest.AsSpan(answer[43])));
        }
        catch (IOException)
        {
            return default;
        }
    }

    private static byte[] Hello(int version, IReadOnlyList<int> suites)
    {
        var body = new MemoryStream();
        Number(body, version, 2);
        body.Write(RandomNumberGenerator.GetBytes(32));
        body.WriteByte(0);
        Number(body, suites.Count * 2, 2);
        foreach (var suite in suites)
        {
            Number(body, suite, 2);
        }

        body.Write([1, 0]);
        if (version > 0x0300)
        {
            Part(body, Extensions());
        }

        var hello = body.ToArray();
        var record = new MemoryStream();
        record.WriteByte(22);
        Number(record, Math.Min(version, 0x0301), 2);
        Number(record, hello.Length + 4, 2);
        record.WriteByte(1);
        Number(record, hello.Length, 3);
        record.Write(hello);
        return record.ToArray();
    }

    private static byte[] Extensions()
    {
        var all = new MemoryStream();
        Extension(all, 0, [0, 12, 0, 0, 9, .. Encoding.ASCII.GetBytes("localhost")]); // server name
        Extension(all, 10, [0, 6, 0, 23, 0, 24, 0, 29]); // P-256, P-384, X25519
        Extension(all, 11, [1, 0]); // uncompressed points
        Extension(all, 13, [0, 12, 4, 3, 5, 3, 4, 1, 5, 1, 2, 1, 2, 3]); // ECDSA and RSA with SHA-256, SHA-384, SHA-1
        return all.ToArray();
    }

    private static void Extension(Stream to, int type, byte[] content)
    {
        Number(to, type, 2);
        Part(to, content);
    }

    private static void Part(Stream to, byte[] content)
    {
        Number(to, content.Length, 2);
        to.Write(content);
    }

    private static void Number(Stream to, int value, int bytes)
    {
        for (var i = bytes - 1; i >= 0; i--)
        {
            to.WriteByte((byte)(value >> (8 * i)));
        }
    }
}
