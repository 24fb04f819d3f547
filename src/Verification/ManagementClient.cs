using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sekisho.Verification;

/// <summary>An answer of the management API.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">Its JSON; null when there is none.</param>
public sealed record ManagementAnswer(int Status, JsonNode? Body)
{
    /// <summary>The body of a success.</summary>
    /// <exception cref="InvalidOperationException">The answer is a refusal; the message holds its problem document.</exception>
    public JsonNode? Expect() => Status is >= 200 and < 300 ? Body : throw new InvalidOperationException($"The gateway answered {Status}: {Body?.ToJsonString()}");
}

/// <summary>A thin client of the management API. Any thread.</summary>
public sealed class ManagementClient : IDisposable
{
    private readonly HttpClient _http;

    /// <summary>A client.</summary>
    /// <param name="gateway">Management address, https.</param>
    /// <param name="caPem">The gateway's CA, PEM.</param>
    /// <param name="token">Session token or API key; null to begin without.</param>
    public ManagementClient(Uri gateway, string caPem, string? token = null)
    {
        _http = TrustedHttp.Client(gateway, caPem, TimeSpan.FromSeconds(60));
        Token = token;
    }

    /// <summary>Session token or API key that requests carry; null for none.</summary>
    public string? Token { get; set; }

    /// <summary>Language asked for, "en" or "ja".</summary>
    public string Language { get; set; } = "en";

    /// <summary>GET.</summary>
    public Task<ManagementAnswer> GetAsync(string path, CancellationToken cancellation = default) => SendAsync(HttpMethod.Get, path, null, cancellation);

    /// <summary>POST with a JSON body, or with none.</summary>
    public Task<ManagementAnswer> PostAsync(string path, JsonNode? body = null, CancellationToken cancellation = default) => SendAsync(HttpMethod.Post, path, Json(body), cancellation);

    /// <summary>PUT with a JSON body.</summary>
    public Task<ManagementAnswer> PutAsync(string path, JsonNode? body, CancellationToken cancellation = default) => SendAsync(HttpMethod.Put, path, Json(body), cancellation);

    /// <summary>DELETE.</summary>
    public Task<ManagementAnswer> DeleteAsync(string path, CancellationToken cancellation = default) => SendAsync(HttpMethod.Delete, path, null, cancellation);

    /// <summary>Any method with any content (CSV, broken JSON, …).</summary>
    public async Task<ManagementAnswer> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var request = new HttpRequestMessage(method, path.TrimStart('/')) { Content = content };
        request.Headers.AcceptLanguage.ParseAdd(Language);
        if (Token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        }

        using var response = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new ManagementAnswer((int)response.StatusCode, bytes.Length == 0 ? null : isJson ? JsonNode.Parse(bytes) : JsonValue.Create(Encoding.UTF8.GetString(bytes)));
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static StringContent? Json(JsonNode? body) =>
        body is null ? null : new StringContent(body.ToJsonString(JsonSerializerOptions.Web), Encoding.UTF8, "application/json");
}
