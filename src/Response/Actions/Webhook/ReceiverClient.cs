using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Sekisho.Response.Notification.Webhooks;

namespace Sekisho.Response.Actions.Webhook;

/// <summary>What is sent to a receiver.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Url">Where.</param>
/// <param name="Secret">Signs the body.</param>
/// <param name="Headers">Further header fields, names of <see cref="HeaderFields.Names"/>.</param>
/// <param name="Delivery">The same at each try.</param>
/// <param name="Body">JSON.</param>
internal sealed record ReceiverRequest(HttpMethod Method, string Url, string Secret, IReadOnlyDictionary<string, string> Headers, string Delivery, byte[] Body);

/// <summary>What came of it: a status, an address that is not allowed, or a fault for people without addresses and secrets.</summary>
internal sealed record ReceiverAnswer(int? Status, bool IsForbidden = false, string? Error = null, byte[]? Body = null)
{
    public bool IsSuccess => Status is >= 200 and <= 299;

    /// <summary>What to say of a try that was no success.</summary>
    public string Fault => Error ?? $"The receiver answered {Status}.";
}

/// <summary>
/// Sends to receivers outside: signed, within the time limit, without redirects and proxies, and only to addresses that the operator allows. Any thread.
/// </summary>
internal sealed class ReceiverClient(WebhookSettings settings, TimeProvider clock) : IDisposable
{
    /// <summary>Bytes of an answer that are read, at most.</summary>
    public const int LongestAnswer = 64 * 1024;

    // No proxy: it would be asked for addresses that are not checked here.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = settings.Timeout,
        ConnectCallback = new Dialler(new ReceiverAddresses([.. settings.InternalNetworks.Select(n => IPNetwork.Parse(n))])).ConnectAsync,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxResponseHeadersLength = 16,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <param name="request">What to send.</param>
    /// <param name="readsAnswer">Whether the answer's body is of interest.</param>
    /// <param name="cancellation">Breaks it off; its own time limit does not throw.</param>
    public async Task<ReceiverAnswer> SendAsync(ReceiverRequest request, bool readsAnswer, CancellationToken cancellation)
    {
        using var message = new HttpRequestMessage(request.Method, request.Url) { Content = new ByteArrayContent(request.Body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        message.Headers.UserAgent.ParseAdd("Sekisho");
        message.Headers.Add("Sekisho-Signature", WebhookSignature.Of(request.Secret, clock.GetUtcNow(), request.Body));
        message.Headers.Add("Sekisho-Delivery", request.Delivery);
        message.Headers.Add("Idempotency-Key", request.Delivery);
        foreach (var (name, value) in request.Headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        using var limit = new CancellationTokenSource(settings.Timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, both.Token);
            var body = readsAnswer && response.IsSuccessStatusCode ? await ReadAsync(response, both.Token) : null;
            return new ReceiverAnswer((int)response.StatusCode, Body: body);
        }
        catch (HttpRequestException e) when (e.InnerException is AddressNotAllowedException)
        {
            return new ReceiverAnswer(null, IsForbidden: true);
        }
        catch (HttpRequestException e)
        {
            return new ReceiverAnswer(null, Error: $"The receiver could not be reached ({e.HttpRequestError}).");
        }
        catch (IOException)
        {
            return new ReceiverAnswer(null, Error: "The receiver broke its answer off.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new ReceiverAnswer(null, Error: $"The receiver did not answer within {settings.Timeout}.");
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[LongestAnswer];
        var read = await stream.ReadAtLeastAsync(buffer, LongestAnswer, throwOnEndOfStream: false, cancellation);
        return buffer[..read];
    }

    // The address that is checked is the one that is connected to, so that a name that resolves to another one a moment later gains nothing.
    private sealed class Dialler(ReceiverAddresses addresses)
    {
        public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
        {
            var allowed = (await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellation)).Where(addresses.Allows).ToArray();
            if (allowed.Length == 0)
            {
                throw new AddressNotAllowedException();
            }

            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
