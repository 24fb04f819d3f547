using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Sekisho.Response.Sim.Carriers;

/// <summary>What a carrier answered.</summary>
/// <param name="Status">2xx, 401, 403 or 404; everything else is thrown.</param>
/// <param name="Body">The JSON; null when the body was empty or the status is not 2xx.</param>
internal sealed record CarrierAnswer(int Status, JsonElement? Body)
{
    public bool IsGood => Status is >= 200 and < 300;
}

/// <summary>
/// Requests to one carrier: bounded in time and size, no redirects, JSON only. What a carrier writes in an error is not read: it may repeat secrets.
/// Any thread.
/// </summary>
internal sealed class CarrierHttp(Uri origin, SimSettings settings, TimeProvider clock) : IDisposable
{
    /// <summary>Most bytes of an answer.</summary>
    public const int LargestAnswer = 1 << 20;

    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = settings.Timeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxResponseHeadersLength = 32,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Sends one request.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query, beginning with "/", that goes behind the carrier's base address.</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="body">JSON, or null for none.</param>
    /// <param name="cancellation">Ends the request.</param>
    /// <exception cref="CarrierException">No good answer and none that the caller could make something of.</exception>
    public async Task<CarrierAnswer> SendAsync(HttpMethod method, string path, IEnumerable<(string Name, string Value)> headers, byte[]? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, origin.AbsoluteUri.TrimEnd('/') + path);
        request.Headers.UserAgent.ParseAdd("Sekisho");
        request.Headers.Accept.ParseAdd("application/json");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new("application/json");
        }

        using var limit = new CancellationTokenSource(settings.Timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            return await ReadAsync(response, both.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CarrierException(CarrierFaults.Down, $"The carrier did not answer within {settings.Timeout}.");
        }
        catch (Exception e) when (e is HttpRequestException or IOException and not CarrierException)
        {
            throw new CarrierException(CarrierFaults.Down, e is HttpRequestException { HttpRequestError: not (HttpRequestError.Unknown or HttpRequestError.ResponseEnded) and var error }
                ? $"The carrier could not be reached ({error})."
                : "The carrier broke off its answer.");
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<CarrierAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound:
                return new CarrierAnswer(status, null);
            case HttpStatusCode.TooManyRequests:
                throw new CarrierException(CarrierFaults.Busy, "The carrier asks for fewer requests (429).", RetryAfter(response));
            case >= HttpStatusCode.InternalServerError:
                throw new CarrierException(CarrierFaults.Down, $"The carrier answered {status}.", RetryAfter(response));
            case >= HttpStatusCode.BadRequest:
                throw new CarrierException(CarrierFaults.Refused, $"The carrier refused the request ({status}).");
            case < HttpStatusCode.OK or >= HttpStatusCode.MultipleChoices:
                throw new CarrierException(CarrierFaults.Nonsense, $"The carrier answered {status}, which its contract does not have.");
        }

        var body = await BoundedAsync(response.Content, cancellation);
        return new CarrierAnswer(status, body.Length == 0 ? null : Parse(body));
    }

    /// <summary>Reads JSON of which every text can be read.</summary>
    /// <exception cref="CarrierException">It is none.</exception>
    internal static JsonElement Parse(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });
            ReadTexts(document.RootElement);
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter: a text with half a surrogate, which is well-formed JSON and no text.
            throw new CarrierException(CarrierFaults.Nonsense, "The carrier answered something that is no JSON.");
        }
    }

    private static void ReadTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    ReadTexts(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    _ = member.Name;
                    ReadTexts(member.Value);
                }

                break;
        }
    }

    private static async Task<byte[]> BoundedAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellation);
        using var all = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellation)) > 0)
        {
            if (all.Length + read > LargestAnswer)
            {
                throw new CarrierException(CarrierFaults.Nonsense, string.Create(CultureInfo.InvariantCulture, $"The carrier's answer is longer than {LargestAnswer} bytes."));
            }

            all.Write(buffer, 0, read);
        }

        return all.ToArray();
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var pause = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - clock.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return pause is not { } told ? null : told < TimeSpan.Zero ? TimeSpan.Zero : told < LongestPause ? told : LongestPause;
    }
}
