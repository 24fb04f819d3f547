using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sekisho.Verification;

/// <summary>
/// The customer's cloud: a real HTTPS server on loopback that takes both forms of Sekisho's forwarding, remembers everything in the order of
/// receipt, and can be down, slow or unwilling. A message counts as received before it is answered for, as in any real receiver. Any thread.
/// </summary>
public sealed class CloudReceiver : IAsyncDisposable
{
    private static readonly TimeSpan SignatureTolerance = TimeSpan.FromMinutes(5);
    private readonly ReceiverCertificate _certificate = new();
    private readonly string? _secret;
    private readonly TimeProvider _clock;
    private readonly Lock _turn = new(); // guards the collections and the answers
    private readonly List<ReceivedMessage> _received = [];
    private readonly List<ReceivedMessage> _distinct = [];
    private readonly HashSet<string> _ids = [];
    private readonly List<string> _faults = [];
    private readonly Queue<int> _answers = new();
    private int _standing = StatusCodes.Status200OK;
    private TimeSpan _delay;
    private long _requests;
    private WebApplication? _listener;

    private CloudReceiver(string? secret, int port, TimeProvider clock) =>
        (_secret, Port, _clock) = (secret, port, clock);

    /// <summary>Its port; stays the same over outages.</summary>
    public int Port { get; }

    /// <summary>Where to forward to.</summary>
    public Uri Address => new($"https://localhost:{Port}/ingest");

    /// <summary>The CA to trust, PEM.</summary>
    public string CaPem => _certificate.CaPem;

    /// <summary>Requests that came in, refused ones included.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Everything received, repeats included, in order of receipt.</summary>
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

    /// <summary>Requests that were no form of forwarding or carried no good signature: what was wrong with each.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_turn)
            {
                return [.. _faults];
            }
        }
    }

    /// <summary>Everything received, each message once, in the order of first receipt.</summary>
    public IReadOnlyList<ReceivedMessage> Distinct
    {
        get
        {
            lock (_turn)
            {
                return [.. _distinct];
            }
        }
    }

    /// <summary>How many different messages came.</summary>
    public int DistinctCount
    {
        get
        {
            lock (_turn)
            {
                return _distinct.Count;
            }
        }
    }

    /// <summary>How often a message came that had come before.</summary>
    public int Repeats
    {
        get
        {
            lock (_turn)
            {
                return _received.Count - _distinct.Count;
            }
        }
    }

    /// <summary>Starts a receiver.</summary>
    /// <param name="secret">Secret that requests must be signed with; null to take unsigned ones.</param>
    /// <param name="port">Port; 0 for any free one.</param>
    /// <param name="clock">For signatures and delays; null for real time.</param>
    public static async Task<CloudReceiver> StartAsync(string? secret = null, int port = 0, TimeProvider? clock = null)
    {
        var receiver = new CloudReceiver(secret, port == 0 ? FreePort() : port, clock ?? TimeProvider.System);
        await receiver.ComeUpAsync().ConfigureAwait(false);
        return receiver;
    }

    /// <summary>The messages of one device, each once, in the order of first receipt.</summary>
    public IReadOnlyList<ReceivedMessage> OrderOf(string deviceId) => [.. Distinct.Where(m => m.DeviceId == deviceId)];

    /// <summary>Stops listening: connections are refused and open ones cut. What was received stays.</summary>
    public async Task GoDownAsync()
    {
        if (_listener is { } listener)
        {
            _listener = null;
            await listener.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
            await listener.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Listens again on the same port.</summary>
    public async Task ComeUpAsync()
    {
        if (_listener is not null)
        {
            return;
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Limits.MaxRequestBodySize = 256L * 1024 * 1024;
            k.Listen(IPAddress.Loopback, Port, listen => listen.UseHttps(_certificate.Server));
        });
        var app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync().ConfigureAwait(false);
        _listener = app;
    }

    /// <summary>Answers every request with this status from now on; only 2xx confirms.</summary>
    public void AnswerWith(int status)
    {
        lock (_turn)
        {
            _standing = status;
        }
    }

    /// <summary>Answers the next requests with these, one each, before the standing answer holds again.</summary>
    public void AnswerNextWith(params int[] statuses)
    {
        ArgumentNullException.ThrowIfNull(statuses);
        lock (_turn)
        {
            foreach (var status in statuses)
            {
                _answers.Enqueue(status);
            }
        }
    }

    /// <summary>Waits this long before each answer; zero for none.</summary>
    public void BeSlow(TimeSpan delay)
    {
        lock (_turn)
        {
            _delay = delay;
        }
    }

    /// <summary>Waits until so many different messages have come.</summary>
    /// <exception cref="TimeoutException">They did not come in time.</exception>
    public Task WaitForAsync(int distinct, TimeSpan within, CancellationToken cancellation = default) =>
        Deadline.UntilAsync(() => Task.FromResult(DistinctCount >= distinct), within, $"{distinct} messages at the receiver", _clock, cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await GoDownAsync().ConfigureAwait(false);
        _certificate.Dispose();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted).ConfigureAwait(false);
        var (status, delay) = Take(context.Request.Headers, buffer.ToArray());
        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, _clock, context.RequestAborted).ConfigureAwait(false);
        }

        context.Response.StatusCode = status;
    }

    private (int Status, TimeSpan Delay) Take(IHeaderDictionary headers, byte[] body)
    {
        lock (_turn)
        {
            if (_secret is not null && !ForwardingSignature.IsGood(headers["Sekisho-Signature"], body, _secret, _clock.GetUtcNow(), SignatureTolerance))
            {
                _faults.Add("The signature is missing, wrong or too old.");
                return (StatusCodes.Status401Unauthorized, _delay);
            }

            var status = _answers.TryDequeue(out var next) ? next : _standing;
            try
            {
                var messages = ReceivedMessage.Read(headers, body);
                if (status is >= 200 and < 300)
                {
                    _received.AddRange(messages);
                    _distinct.AddRange(messages.Where(m => _ids.Add(m.MessageId)));
                }

                return (status, _delay);
            }
            catch (FormatException e)
            {
                _faults.Add(e.Message);
                return (StatusCodes.Status400BadRequest, _delay);
            }
        }
    }
}
