using System.Net;
using System.Net.Http.Headers;
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

/// <summary>
/// A device that speaks the protocol as a sensible real one does: authenticates with three elements, keeps its token, asks for a new one when told
/// that it expired, and sends again what was not acknowledged. One task at a time.
/// </summary>
public sealed class SimulatedDevice : IDisposable
{
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;

    /// <summary>A device of the gateway at <paramref name="address"/>.</summary>
    public SimulatedDevice(Uri address, string caFile, DeviceCredential credential, TimeProvider clock)
    {
        _http = new HttpClient(TrustedHttp.Handler(caFile)) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(20) };
        Credential = credential;
        _clock = clock;
    }

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

    /// <summary>Sends once, whatever comes of it.</summary>
    /// <param name="json">One JSON object, or an array of them.</param>
    /// <param name="cancellation">Cancels the request.</param>
    public Task<DeviceAnswer> SendAsync(string json, CancellationToken cancellation = default) => PostAsync("/device/v1/messages", json, withToken: true, cancellation);

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
    public void Dispose() => _http.Dispose();

    private async Task<DeviceAnswer> PostAsync(string path, string body, bool withToken, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (withToken)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            request.Headers.TryAddWithoutValidation("Sekisho-Device", DeviceId);
        }

        using var response = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
        var text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        var problem = response.StatusCode >= HttpStatusCode.BadRequest && response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? JsonNode.Parse(text)?["type"]?.GetValue<string>().Split(':')[^1]
            : null;
        return new DeviceAnswer((int)response.StatusCode, problem, response.Headers.RetryAfter?.Delta, text);
    }
}
