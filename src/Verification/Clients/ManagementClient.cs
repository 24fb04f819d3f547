using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sekisho.Verification.Clients;

/// <summary>An answer of the management API.</summary>
/// <param name="Status">HTTP status code.</param>
/// <param name="Body">The JSON body; null when there is none or it is no JSON.</param>
/// <param name="Text">The body as text.</param>
public sealed record ManagementAnswer(int Status, JsonNode? Body, string Text)
{
    /// <summary>The body of a successful answer.</summary>
    /// <exception cref="InvalidOperationException">The answer is no success or has no JSON; the message shows it.</exception>
    public JsonNode Expect() => Status is >= 200 and < 300 && Body is not null ? Body : throw new InvalidOperationException($"Unexpected answer {Status}: {Text}");
}

/// <summary>Speaks to the management API as an administrator's program does. Any thread.</summary>
public sealed class ManagementClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _renewal = new(1); // guards _person and _signedInAt
    private (string Name, string Password)? _person;
    private DateTimeOffset _signedInAt;

    /// <summary>A client for the management listener.</summary>
    /// <param name="address">Base address, for example https://localhost:9443.</param>
    /// <param name="caFile">PEM file of the authority to trust.</param>
    /// <param name="clock">Certificates must be valid at its time; the system's when null.</param>
    public ManagementClient(Uri address, string caFile, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        _http = new HttpClient(TrustedHttp.Handler(caFile, _clock, from: null, meter: null)) { BaseAddress = address };
    }

    /// <summary>Session token or API key; null to ask as nobody.</summary>
    public string? Token { get; set; }

    /// <summary>Signs in again when the session is older than this; null to stay with the one.</summary>
    public TimeSpan? RenewAfter { get; set; }

    /// <summary>Language of problem documents ("ja", "en"); null for none stated.</summary>
    public string? Language { get; set; }

    /// <summary>Makes the first account and signs in.</summary>
    public async Task SetUpAsync(string code, string name, string password)
    {
        (await PostAsync("/api/v1/setup", new { code, name, password }).ConfigureAwait(false)).Expect();
        await SignInAsync(name, password).ConfigureAwait(false);
    }

    /// <summary>Signs in and keeps the session's token.</summary>
    public async Task SignInAsync(string name, string password)
    {
        (_person, _signedInAt) = ((name, password), _clock.GetUtcNow());
        var answer = await ExchangeAsync(HttpMethod.Post, "/api/v1/session", Json(new { name, password })).ConfigureAwait(false);
        Token = answer.Expect()["token"]!.GetValue<string>();
    }

    /// <summary>GET.</summary>
    public Task<ManagementAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    /// <summary>POST with a JSON body; null for an empty one.</summary>
    public Task<ManagementAnswer> PostAsync(string path, object? body) => SendAsync(HttpMethod.Post, path, Json(body));

    /// <summary>PUT with a JSON body.</summary>
    public Task<ManagementAnswer> PutAsync(string path, object body) => SendAsync(HttpMethod.Put, path, Json(body));

    /// <summary>DELETE.</summary>
    public Task<ManagementAnswer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path, null);

    /// <summary>Any request.</summary>
    public async Task<ManagementAnswer> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        if (RenewAfter is { } age)
        {
            await _renewal.WaitAsync().ConfigureAwait(false);
            try
            {
                if (_person is { } person && _clock.GetUtcNow() - _signedInAt >= age)
                {
                    await SignInAsync(person.Name, person.Password).ConfigureAwait(false);
                }
            }
            finally
            {
                _renewal.Release();
            }
        }

        return await ExchangeAsync(method, path, content).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _renewal.Dispose();
    }

    private async Task<ManagementAnswer> ExchangeAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (Token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        }

        if (Language is not null)
        {
            request.Headers.AcceptLanguage.ParseAdd(Language);
        }

        using var response = await _http.SendAsync(request).ConfigureAwait(false);
        var text = await response.Content.ReadAsStringAsync().ConfigureAwait(false);
        JsonNode? body = null;
        if (response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true)
        {
            body = JsonNode.Parse(text);
        }

        return new ManagementAnswer((int)response.StatusCode, body, text);
    }

    private static StringContent? Json(object? body) =>
        body is null ? null : new StringContent(body as string ?? JsonSerializer.Serialize(body, JsonSerializerOptions.Web), Encoding.UTF8, "application/json");
}
