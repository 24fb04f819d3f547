using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sekisho.Verification.Clients;

/// <summary>What a device is given at registration.</summary>
/// <param name="CommonAuthId">Common authentication ID (共通認証ID).</param>
/// <param name="AuthSecret">Authentication secret (認証シークレット).</param>
/// <param name="UniqueId">Unique ID.</param>
public sealed record DeviceCredential(string CommonAuthId, string AuthSecret, string UniqueId);

/// <summary>An answer of the device API.</summary>
/// <param name="Status">HTTP status code.</param>
/// <param name="Problem">Last part of the problem's type ("token-expired"); null for a success.</param>
/// <param name="RetryAfter">When to come again, if the gateway says so.</param>
/// <param name="Body">Body as text.</param>
public sealed record DeviceAnswer(int Status, string? Problem, TimeSpan? RetryAfter, string Body);

/// <summary>What a device is asked to do.</summary>
/// <param name="Id">Identifier to answer with.</param>
/// <param name="Name">What to do.</param>
/// <param name="Arguments">How.</param>
public sealed record DeviceTask(string Id, string Name, JsonObject Arguments);

/// <summary>How a device is connected.</summary>
/// <param name="From">Its address, one of this host's; null for whichever the system takes.</param>
/// <param name="Client">What it says it is (User-Agent); null for nothing.</param>
/// <param name="Language">Language it wants problems in; null for none stated.</param>
public sealed record DeviceLine(IPAddress? From = null, string? Client = null, string? Language = null);

/// <summary>
/// A device that speaks the protocol as a sensible real one does: authenticates with three elements, keeps its token, asks for a new one when told
/// that it expired, and sends again what was not acknowledged. One task at a time.
/// </summary>
public sealed class SimulatedDevice : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly X509Certificate2 _authority;

    /// <summary>A device of the gateway at <paramref name="address"/>.</summary>
    /// <param name="address">Base address of the device listener.</param>
    /// <param name="caFile">PEM file of the authority to trust.</param>
    /// <param name="credential">Its three elements.</param>
    /// <param name="clock">Its clock; certificates must be valid at its time.</param>
    /// <param name="line">How it is connected.</param>
    public SimulatedDevice(Uri address, string caFile, DeviceCredential credential, TimeProvider clock, DeviceLine? line = null)
    {
        _http = new HttpClient(TrustedHttp.Handler(caFile, clock, line?.From, Meter)) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        _authority = X509CertificateLoader.LoadCertificateFromFile(caFile);
        Credential = credential;
        Line = line ?? new DeviceLine();
        _clock = clock;
    }

    /// <summary>How it is connected.</summary>
    public DeviceLine Line { get; }

    /// <summary>What its connections put on the line.</summary>
    public WireMeter Meter { get; } = new();

    /// <summary>Its three elements; may be changed, as a re-issue does.</summary>
    public DeviceCredential Credential { get; set; }

    /// <summary>Device identifier; null before the first authentication.</summary>
    public string? DeviceId { get; set; }

    /// <summary>Present token; null before the first authentication.</summary>
    public string? Token { get; set; }

    /// <summary>Requests that had to be sent again.</summary>
    public int Retries { get; private set; }

    /// <summary>Asks once for a token.</summary>
    public async Task<DeviceAnswer> AuthenticateAsync(CancellationToken cancellation = default)
    {
        var body = JsonSerializer.Serialize(Credential, JsonSerializerOptions.Web);
        var answer = await PostAsync("/device/v1/token", body, withToken: false, cancellation).ConfigureAwait(false);
        if (answer.Status == 200)
        {
            var granted = JsonNode.Parse(answer.Body)!;
            DeviceId = granted["deviceId"]!.GetValue<string>();
            Token = granted["token"]!.GetValue<string>();
        }

        return answer;
    }

    /// <summary>Renews its secret, as it is asked to with a token ("renewSecretBefore"), and keeps the new one.</summary>
    public async Task<DeviceAnswer> RenewSecretAsync(CancellationToken cancellation = default)
    {
        var answer = await PostAsync("/device/v1/secret", "", withToken: true, cancellation).ConfigureAwait(false);
        if (answer.Status == 200)
        {
            Credential = Credential with { AuthSecret = JsonNode.Parse(answer.Body)!["authSecret"]!.GetValue<string>() };
        }

        return answer;
    }

    /// <summary>Sends once, whatever comes of it.</summary>
    /// <param name="json">One JSON object, or an array of them.</param>
    /// <param name="cancellation">Cancels the request.</param>
    public Task<DeviceAnswer> SendAsync(string json, CancellationToken cancellation = default) => PostAsync("/device/v1/messages", json, withToken: true, cancellation);

    /// <summary>Asks once what it is to do.</summary>
    /// <param name="waitSeconds">How long the gateway may keep it waiting, 30 at most; null to be answered at once.</param>
    /// <param name="cancellation">Cancels the request.</param>
    /// <returns>The answer, and the commands in it.</returns>
    public async Task<(DeviceAnswer Answer, IReadOnlyList<DeviceTask> Tasks)> FetchAsync(int? waitSeconds = null, CancellationToken cancellation = default)
    {
        var path = "/device/v1/commands" + (waitSeconds is { } seconds ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"?wait={seconds}") : "");
        var answer = await RequestAsync(HttpMethod.Get, path, null, withToken: true, cancellation).ConfigureAwait(false);
        return (answer, answer.Status != 200 ? [] : [.. JsonNode.Parse(answer.Body)!["commands"]!.AsArray().Select(c => new DeviceTask(c!["id"]!.GetValue<string>(), c["name"]!.GetValue<string>(), c["arguments"]!.AsObject()))]);
    }

    /// <summary>Says what became of a command.</summary>
    /// <param name="commandId">The command.</param>
    /// <param name="outcome">"done", "failed" or "refused".</param>
    /// <param name="detail">JSON; null for nothing.</param>
    /// <param name="cancellation">Cancels the request.</param>
    public Task<DeviceAnswer> AnswerAsync(string commandId, string outcome, string? detail = null, CancellationToken cancellation = default) =>
        PostAsync("/device/v1/commands/" + commandId, new JsonObject { ["outcome"] = outcome, ["detail"] = detail is null ? null : JsonNode.Parse(detail) }.ToJsonString(), withToken: true, cancellation);

    /// <summary>Begins to send on a connection of its own and loses it when that share of the body has gone out: a link that breaks.</summary>
    /// <param name="json">The body.</param>
    /// <param name="share">Share of the body that goes out, 0 to 1.</param>
    /// <param name="cancellation">Gives up at once.</param>
    public async Task BreakOffAsync(string json, double share, CancellationToken cancellation = default)
    {
        var address = _http.BaseAddress!;
        using var socket = await TrustedHttp.ConnectAsync(new DnsEndPoint(address.Host, address.Port), Line.From, cancellation).ConfigureAwait(false);
        Meter.Connected();
        await using var network = new NetworkStream(socket, ownsSocket: false);
        await using var tls = new SslStream(Meter.Over(network), leaveInnerStreamOpen: false, (_, certificate, _, errors) => TrustedHttp.IsTrusted(_authority, certificate as X509Certificate2, errors, _clock));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.Host }, cancellation).ConfigureAwait(false);
        var body = Encoding.UTF8.GetBytes(json);
        var head = $"POST /device/v1/messages HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nAuthorization: Bearer {Token}\r\nSekisho-Device: {DeviceId}\r\nContent-Length: {body.Length}\r\n\r\n";
        await tls.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body.AsSpan(0, (int)(body.Length * Math.Clamp(share, 0, 1)))], cancellation).ConfigureAwait(false);
        await tls.FlushAsync(cancellation).ConfigureAwait(false);

        // What was sent arrives; the end of the connection is all that follows.
        socket.Shutdown(SocketShutdown.Send);
        await DrainAsync(tls, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Sends until it is acknowledged: waits and repeats on faults of the network, 429 and 5xx; authenticates again when there is no good token.
    /// </summary>
    /// <param name="json">One JSON object, or an array of them.</param>
    /// <param name="deadline">Gives up then.</param>
    /// <param name="cancellation">Gives up at once.</param>
    /// <exception cref="TimeoutException">Not acknowledged by the deadline; the message has the last answer.</exception>
    /// <exception cref="InvalidOperationException">The gateway refuses it for good.</exception>
    public async Task DeliverAsync(string json, DateTimeOffset deadline, CancellationToken cancellation = default)
    {
        var wait = TimeSpan.FromMilliseconds(50);
        var last = "no answer";
        while (_clock.GetUtcNow() < deadline)
        {
            try
            {
                var answer = Token is null ? new DeviceAnswer(401, "token-expired", null, "") : await SendAsync(json, cancellation).ConfigureAwait(false);
                last = $"{answer.Status} {answer.Body}";
                if (answer.Status == 202)
                {
                    return;
                }

                if (answer.Status == 401)
                {
                    var granted = await AuthenticateAsync(cancellation).ConfigureAwait(false);
                    last = $"{granted.Status} {granted.Body}";
                    if (granted.Status == 200)
                    {
                        continue;
                    }

                    wait = granted.RetryAfter ?? wait;
                }
                else if (answer.Status is not 429 and < 500)
                {
                    throw new InvalidOperationException($"The gateway refuses the message: {last}");
                }
                else
                {
                    wait = answer.RetryAfter ?? wait;
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
            {
                // The gateway is away or the answer was lost: exactly when a device sends again.
                last = e.Message;
            }

            Retries++;
            await Task.Delay(wait, _clock, cancellation).ConfigureAwait(false);
            wait = TimeSpan.FromMilliseconds(Math.Min(2000, wait.TotalMilliseconds * 1.5));
        }

        throw new TimeoutException($"Not acknowledged in time. Last: {last}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _authority.Dispose();
    }

    private static async Task DrainAsync(Stream stream, CancellationToken cancellation)
    {
        var rest = new byte[1024];
        try
        {
            while (await stream.ReadAsync(rest, cancellation).ConfigureAwait(false) > 0)
            {
                // An answer that nobody waits for any more.
            }
        }
        catch (IOException)
        {
            // The gateway closed the connection without a word.
        }
    }

    private Task<DeviceAnswer> PostAsync(string path, string body, bool withToken, CancellationToken cancellation) => RequestAsync(HttpMethod.Post, path, body, withToken, cancellation);

    private async Task<DeviceAnswer> RequestAsync(HttpMethod method, string path, string? body, bool withToken, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        if (Line.Client is not null)
        {
            request.Headers.TryAddWithoutValidation("User-Agent", Line.Client);
        }

        if (Line.Language is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept-Language", Line.Language);
        }

        if (withToken && Token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        }

        if (withToken && DeviceId is not null)
        {
            request.Headers.TryAddWithoutValidation("Sekisho-Device", DeviceId);
        }

        using var limit = new CancellationTokenSource(Patience + (path.Contains("?wait=", StringComparison.Ordinal) ? LongestWait : TimeSpan.Zero), TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        using var response = await _http.SendAsync(request, both.Token).ConfigureAwait(false);
        var text = await response.Content.ReadAsStringAsync(both.Token).ConfigureAwait(false);
        var problem = response.StatusCode >= HttpStatusCode.BadRequest && response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? JsonNode.Parse(text)?["type"]?.GetValue<string>().Split(':')[^1]
            : null;
        return new DeviceAnswer((int)response.StatusCode, problem, response.Headers.RetryAfter?.Delta, text);
    }
}
