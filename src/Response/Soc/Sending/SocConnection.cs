using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Sekisho.Response.Actions.Webhook;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Sending;

/// <summary>One connection to a receiver (RFC 5425: TLS 1.2 or later, its certificate checked). One thread at a time.</summary>
internal sealed class SocConnection : IAsyncDisposable
{
    private const ulong OutstandingBytes = 0x5411; // SIOCOUTQ of Linux: bytes that the other side's system has not confirmed
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan GoodBye = TimeSpan.FromSeconds(2);

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly X509Certificate2Collection _own;
    private readonly TimeProvider _clock;
    private readonly Task _end;
    private bool _isInFrame; // a write was begun and not ended

    private SocConnection(Socket socket, Stream stream, X509Certificate2Collection own, TimeProvider clock)
    {
        (_socket, _stream, _own, _clock) = (socket, stream, own, clock);
        _end = WatchAsync();
    }

    /// <summary>Completes when the receiver ends the connection. Receivers never say anything else.</summary>
    public Task End => _end;

    /// <summary>Connects and checks who it is.</summary>
    /// <exception cref="IOException">It cannot be reached, or is not who it should be.</exception>
    public static async Task<SocConnection> OpenAsync(SocReceiver receiver, SocSettings settings, TimeProvider clock, CancellationToken cancellation)
    {
        var addresses = new ReceiverAddresses([.. settings.InternalNetworks.Select(n => IPNetwork.Parse(n))]);
        var found = await Dns.GetHostAddressesAsync(receiver.Host, cancellation);

        // Maintainers run this machine and its network; administrators of fields do not. Plain text goes nowhere but to this machine, whatever a name leads to.
        var allowed = found.Where(a => (receiver.FieldId is null || addresses.Allows(a)) && (receiver.Tls || IPAddress.IsLoopback(a))).ToArray();
        if (allowed.Length == 0)
        {
            throw new SocFaultException(SocFaults.AddressNotAllowed);
        }

        var own = new X509Certificate2Collection();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(allowed, receiver.Port, cancellation);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (receiver.Tls)
            {
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsClientAsync(Options(receiver, own), cancellation);
            }

            return new SocConnection(socket, stream, own, clock);
        }
        catch (AuthenticationException e)
        {
            Release(socket, own);
            throw new SocFaultException(SocFaults.NotTrusted, e);
        }
        catch
        {
            Release(socket, own);
            throw;
        }
    }

    /// <summary>Writes frames. When it is given up midway, nothing can be written any more.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellation)
    {
        _isInFrame = true;
        await _stream.WriteAsync(frames, cancellation);
        _isInFrame = false;
    }

    /// <summary>Waits until the receiver's system has confirmed every byte. Only Linux says so; elsewhere the bytes count as taken when ours has them.</summary>
    public async Task TakenAsync(CancellationToken cancellation)
    {
        await _stream.FlushAsync(cancellation);
        while (OperatingSystem.IsLinux() && Outstanding() > 0)
        {
            if (_end.IsCompleted)
            {
                throw new SocFaultException(SocFaults.Ended);
            }

            await Task.Delay(Look, _clock, cancellation);
        }
    }

    /// <summary>Says good-bye, also when the receiver did so first (RFC 5425, 4.4), and closes. A receiver that has no room for it is waited for two seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        // Within a frame a good-bye would be taken for a part of it.
        if (_stream is SslStream tls && !_isInFrame)
        {
            using var limit = new CancellationTokenSource(GoodBye, _clock);
            await using var closing = limit.Token.Register(_socket.Dispose);
            try
            {
                await tls.ShutdownAsync();
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or ObjectDisposedException)
            {
                // The receiver was faster or is gone; the connection is over either way.
                _ = e;
            }
        }

        await _stream.DisposeAsync();
        await _end;
        Release(_socket, _own);
    }

    private static SslClientAuthenticationOptions Options(SocReceiver receiver, X509Certificate2Collection own)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = receiver.ServerName ?? receiver.Host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (receiver.TrustAnchors is { } anchors)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPem(anchors);
            own.AddRange(policy.CustomTrustStore);
            options.CertificateChainPolicy = policy;
        }

        if (receiver.ClientCertificate is { } certificate)
        {
            var pair = X509Certificate2.CreateFromPem(certificate, receiver.ClientKey);
            own.Add(pair);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificate);
            own.AddRange(chain);
            chain.RemoveAt(0);
            options.ClientCertificateContext = SslStreamCertificateContext.Create(pair, chain, offline: true);
        }

        return options;
    }

    private long Outstanding()
    {
        var bytes = 0;
        return IoControl((int)_socket.Handle, OutstandingBytes, ref bytes) == 0 ? bytes : 0;
    }

    private async Task WatchAsync()
    {
        var nothing = new byte[256];
        try
        {
            while (await _stream.ReadAsync(nothing) > 0)
            {
                // A receiver has nothing to say; what it says anyway is not read by anybody.
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Broken off, by them or by us: the end is what is waited for.
            _ = e;
        }
    }

    private static void Release(Socket socket, X509Certificate2Collection own)
    {
        socket.Dispose();
        foreach (var certificate in own)
        {
            certificate.Dispose();
        }
    }

    [DllImport("libc", EntryPoint = "ioctl", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int IoControl(int handle, ulong request, ref int value);
}

/// <summary>Stable names of why a receiver does not get anything; each has a text soc.cause.NAME.</summary>
internal static class SocFaults
{
    public const string AddressNotAllowed = "address-not-allowed";
    public const string NotTrusted = "not-trusted";
    public const string Unreachable = "unreachable";
    public const string Ended = "ended";
    public const string TooSlow = "too-slow";
    public const string Internal = "internal";

    public static readonly IReadOnlyList<string> All = [AddressNotAllowed, NotTrusted, Unreachable, Ended, TooSlow, Internal];
}

/// <summary>A receiver does not get anything now.</summary>
/// <param name="cause">One of <see cref="SocFaults"/>.</param>
/// <param name="inner">What happened below.</param>
internal sealed class SocFaultException(string cause, Exception? inner = null) : IOException("The receiver does not take events: " + cause, inner)
{
    public string Cause { get; } = cause;
}
