using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sekisho.Verification;

/// <summary>The three elements that a device authenticates with.</summary>
/// <param name="CommonAuthId">Common authentication ID.</param>
/// <param name="AuthSecret">Authentication secret.</param>
/// <param name="UniqueId">Unique ID.</param>
public sealed record DeviceCredential(string CommonAuthId, string AuthSecret, string UniqueId);

/// <summary>What became of a send.</summary>
/// <param name="Status">Last HTTP status; 0 when no answer came at all.</param>
/// <param name="Accepted">Messages that the gateway acknowledged: they are durable there.</param>
/// <param name="ProblemType">Type of the problem document of a refusal; null for none.</param>
/// <param name="Attempts">Requests made with the message, the last one included.</param>
public sealed record SendOutcome(int Status, int Accepted, string? ProblemType, int Attempts)
{
    /// <summary>True when the gateway took it.</summary>
    public bool Acknowledged => Status == (int)HttpStatusCode.Accepted;
}

/// <summary>What became of an attempt to authenticate.</summary>
/// <param name="Status">HTTP status: 200 with a token, 202 while a binding is pending, else refused; 0 when no answer came at all.</param>
/// <param name="ProblemType">Type of the problem document; null for none.</param>
public sealed record AuthenticationOutcome(int Status, string? ProblemType)
{
    /// <summary>True when there is a token.</summary>
    public bool Authenticated => Status == (int)HttpStatusCode.OK;
}

/// <summary>How patient a device is.</summary>
public sealed record DevicePatience
{
    /// <summary>Requests for one send at most.</summary>
    public int Attempts { get; init; } = 20;

    /// <summary>Wait after a failure that names no time.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait that a Retry-After may ask for; a longer one is cut to this.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time for one request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Authenticates again, once per send, when the token is refused.</summary>
    public bool Renews { get; init; } = true;

    /// <summary>One request, no second try.</summary>
    public static readonly DevicePatience None = new() { Attempts = 1, Renews = false };
}

/// <summary>
/// A device that speaks the device protocol over HTTPS as a well-made real one does: it keeps its token, renews it when it is refused, and
/// repeats what was not acknowledged. One caller at a time, so that its messages stay in order.
/// </summary>
public sealed class SimulatedDevice : IDisposable
{
    private readonly HttpClient _http;
    private readonly DeviceCredential _credential;
    private readonly DevicePatience _patience;
    private readonly TimeProvider _clock;

    /// <summary>A device that has not authenticated yet.</summary>
    /// <param name="gateway">Device address of the gateway, https.</param>
    /// <param name="caPem">The gateway's CA, PEM.</param>
    /// <param name="credential">Its three elements.</param>
    /// <param name="patience">How it repeats; null for the usual.</param>
    /// <param name="clock">For pauses; null for real time.</param>
    public SimulatedDevice(Uri gateway, string caPem, DeviceCredential credential, DevicePatience? patience = null, TimeProvider? clock = null)
    {
        _patience = patience ?? new DevicePatience();
        _clock = clock ?? TimeProvider.System;
        _credential = credential;
        _http = TrustedHttp.Client(gateway, caPem, _patience.Timeout);
    }

    /// <summary>Device identifier; null before the first authentication.</summary>
    public string? DeviceId { get; private set; }

    /// <summary>The token in use; null before the first authentication. Settable, to send with another's.</summary>
    public string? Token { get; set; }

    /// <summary>When the token runs out, as the gateway said.</summary>
    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <summary>Messages acknowledged so far.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>Asks for a token.</summary>
    public async Task<AuthenticationOutcome> AuthenticateAsync(CancellationToken cancellation = default)
    {
        var (status, _, body) = await PatientlyAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "device/v1/token")
            {
                Content = JsonContent.Create(new { commonAuthId = _credential.CommonAuthId, authSecret = _credential.AuthSecret, uniqueId = _credential.UniqueId }),
            },
            _patience.Attempts,
            cancellation).ConfigureAwait(false);
        if (status == (int)HttpStatusCode.OK && body is not null)
        {
            DeviceId = (string?)body["deviceId"];
            Token = (string?)body["token"];
            ExpiresAt = (DateTimeOffset?)body["expiresAt"];
        }

        return new AuthenticationOutcome(status, ProblemOf(body));
    }

    /// <summary>Sends one JSON object or an array of them, as text.</summary>
    public Task<SendOutcome> SendAsync(string json, CancellationToken cancellation = default) => SendAsync(Encoding.UTF8.GetBytes(json), cancellation);

    /// <summary>Sends a body as it is, whether JSON or not.</summary>
    public async Task<SendOutcome> SendAsync(ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
    {
        var attempts = 0;
        var mayRenew = _patience.Renews;
        while (true)
        {
            var (status, made, answer) = await PatientlyAsync(() => Message(body), _patience.Attempts - attempts, cancellation).ConfigureAwait(false);
            attempts += made;
            if (status == (int)HttpStatusCode.Unauthorized && mayRenew && attempts < _patience.Attempts)
            {
                mayRenew = false;
                if ((await AuthenticateAsync(cancellation).ConfigureAwait(false)).Authenticated)
                {
                    continue;
                }
            }

            var accepted = status == (int)HttpStatusCode.Accepted ? (int?)answer?["accepted"] ?? 0 : 0;
            Acknowledged += accepted;
            return new SendOutcome(status, accepted, ProblemOf(answer), attempts);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string? ProblemOf(JsonNode? body) => body is JsonObject o && o["type"] is JsonValue type && type.TryGetValue<string>(out var text) ? text : null;

    private HttpRequestMessage Message(ReadOnlyMemory<byte> body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "device/v1/messages") { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (Token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        }

        if (DeviceId is not null)
        {
            request.Headers.Add("Sekisho-Device", DeviceId);
        }

        return request;
    }

    /// <summary>Repeats a request while the network fails or the gateway asks for patience.</summary>
    private async Task<(int Status, int Attempts, JsonNode? Body)> PatientlyAsync(Func<HttpRequestMessage> make, int attempts, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (status, pause, body) = await OnceAsync(make, cancellation).ConfigureAwait(false);
            if (attempt >= attempts || status is not (0 or 429 or 502 or 503 or 504))
            {
                return (status, attempt, body);
            }

            var wait = pause ?? _patience.Pause;
            await Task.Delay(wait < _patience.LongestPause ? wait : _patience.LongestPause, _clock, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<(int Status, TimeSpan? Pause, JsonNode? Body)> OnceAsync(Func<HttpRequestMessage> make, CancellationToken cancellation)
    {
        try
        {
            using var request = make();
            using var response = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
            var bytes = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            return ((int)response.StatusCode, response.Headers.RetryAfter?.Delta, Parse(bytes));
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            // Not acknowledged, so it is for the device to repeat.
            return (0, null, null);
        }
    }

    private static JsonNode? Parse(byte[] bytes)
    {
        try
        {
            return bytes.Length == 0 ? null : JsonNode.Parse(bytes);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
