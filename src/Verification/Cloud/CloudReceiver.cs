using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Sekisho.Verification.Cloud;

/// <summary>One message as the cloud got it.</summary>
/// <param name="MessageId">Sekisho-Message-Id.</param>
/// <param name="DeviceId">Device identifier.</param>
/// <param name="Sequence">Sequence or id that the device gave; null when it gave none.</param>
/// <param name="Backlog">Marked as delivered late.</param>
/// <param name="Payload">The JSON.</param>
public sealed record ReceivedMessage(string MessageId, string DeviceId, string? Sequence, bool Backlog, string Payload);

/// <summary>
/// Stands for a customer's cloud: a real HTTPS server on loopback that takes both wire forms of forwarding, remembers what it got in order, and
/// can be taken down, slowed or made to refuse. Any thread.
/// </summary>
public sealed class CloudReceiver : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly Lock _turn = new(); // guards _received, _answered and _requests
    private readonly List<ReceivedMessage> _received = [];
    private readonly List<int> _requests = [];
    private WebApplication? _app;

    private CloudReceiver(X509Certificate2 certificate, string? secret) => (_certificate, Secret) = (certificate, secret);

    /// <summary>Port on 127.0.0.1; stays the same over outages.</summary>
    public int Port { get; private set; }

    /// <summary>Address to forward to.</summary>
    public Uri Address => new($"https://localhost:{Port}/in");

    /// <summary>Certificate to trust, PEM.</summary>
    public string CertificatePem => _certificate.ExportCertificatePem();

    /// <summary>HMAC secret that every request must be signed with; null to take unsigned ones.</summary>
    public string? Secret { get; }

    /// <summary>Decides the status for a request from the messages in it; null or 200 takes them. Set it to simulate a refusing cloud.</summary>
    public Func<IReadOnlyList<ReceivedMessage>, int>? Answer { get; set; }

    /// <summary>Waits before the answer, after the messages are taken.</summary>
    public Func<Task>? BeforeAnswer { get; set; }

    /// <summary>Everything taken so far, in order, repeats included.</summary>
    public IReadOnlyList<ReceivedMessage> Received
    {
        get
        {
            lock (_turn)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>How many messages were taken, repeats included.</summary>
    public int Count
    {
        get
        {
            lock (_turn)
            {
                return _received.Count;
            }
        }
    }

    /// <summary>Messages in each request, in order.</summary>
    public IReadOnlyList<int> Requests
    {
        get
        {
            lock (_turn)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Requests whose signature was wrong or missing.</summary>
    public int BadSignatures { get; private set; }

    /// <summary>Starts a receiver.</summary>
    /// <param name="secret">HMAC secret, or null.</param>
    /// <param name="port">Port, or 0 for a free one.</param>
    public static async Task<CloudReceiver> StartAsync(string? secret = null, int port = 0)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=customer cloud", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        var receiver = new CloudReceiver(X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null), secret) { Port = port };
        await receiver.GoUpAsync().ConfigureAwait(false);
        return receiver;
    }

    /// <summary>Messages without repeats, in order of first arrival.</summary>
    public IReadOnlyList<ReceivedMessage> Distinct()
    {
        var seen = new HashSet<string>();
        return [.. Received.Where(m => seen.Add(m.MessageId))];
    }

    /// <summary>Stops listening: connections are refused.</summary>
    public async Task GoDownAsync()
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync().ConfigureAwait(false);
            await app.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Listens again on the same port.</summary>
    public async Task GoUpAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = 64 * 1024 * 1024;
            kestrel.Listen(IPAddress.Loopback, Port, listen => listen.UseHttps(_certificate));
        });
        var app = builder.Build();
        app.Run(ReceiveAsync);
        await app.StartAsync().ConfigureAwait(false);
        Port = new Uri(app.Urls.First()).Port;
        _app = app;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await GoDownAsync().ConfigureAwait(false);
        _certificate.Dispose();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        var body = await ReadAsync(context.Request.BodyReader).ConfigureAwait(false);
        if (Secret is not null && !SignatureFits(context.Request.Headers["Sekisho-Signature"].ToString(), body))
        {
            BadSignatures++;
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        var messages = Messages(context.Request.Headers, body);
        var status = Answer?.Invoke(messages) ?? StatusCodes.Status200OK;
        if (status is >= 200 and < 300)
        {
            lock (_turn)
            {
                _received.AddRange(messages);
                _requests.Add(messages.Count);
            }
        }

        if (BeforeAnswer is { } wait)
        {
            await wait().ConfigureAwait(false);
        }

        context.Response.StatusCode = status;
    }

    private static async Task<byte[]> ReadAsync(PipeReader reader)
    {
        while (true)
        {
            var read = await reader.ReadAsync().ConfigureAwait(false);
            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static List<ReceivedMessage> Messages(IHeaderDictionary headers, byte[] body)
    {
        if (headers["Sekisho-Message-Id"].ToString() is { Length: > 0 } id)
        {
            var sequence = headers["Sekisho-Sequence"].ToString();
            return [new ReceivedMessage(id, headers["Sekisho-Device"].ToString(), sequence.Length > 0 ? sequence : null, headers["Sekisho-Backlog"] == "true", Encoding.UTF8.GetString(body))];
        }

        using var document = JsonDocument.Parse(body);
        return [.. document.RootElement.EnumerateArray().Select(m => new ReceivedMessage(
            m.GetProperty("messageId").GetString()!,
            m.GetProperty("deviceId").GetString()!,
            m.TryGetProperty("sequence", out var sequence) ? sequence.GetString() : null,
            m.TryGetProperty("backlog", out var backlog) && backlog.GetBoolean(),
            m.GetProperty("payload").GetRawText()))];
    }

    private bool SignatureFits(string header, byte[] body)
    {
        var parts = header.Split(',').Select(p => p.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
        if (!parts.TryGetValue("t", out var time) || !parts.TryGetValue("v1", out var signature)
            || !long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return false;
        }

        byte[] signed = [.. Encoding.ASCII.GetBytes(time + "."), .. body];
        var expected = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret!), signed));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(signature));
    }
}
