using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Domain.Localization;

namespace Sekisho.Api.Problems;

/// <summary>
/// A kind of problem (RFC 9457). Its type is urn:sekisho:problem:SLUG; title and detail are the texts problem.SLUG.title and problem.SLUG.detail
/// in Japanese and English. The slug is append-only.
/// </summary>
/// <param name="Slug">Stable name.</param>
/// <param name="Status">HTTP status code.</param>
public sealed record ProblemType(string Slug, int Status);

/// <summary>One fault of a request: where, and what to do.</summary>
/// <param name="Place">JSON pointer, "row N", or a name of a parameter.</param>
/// <param name="Message">What is wrong and what is allowed.</param>
public sealed record Fault(string Place, string Message);

/// <summary>A problem as an endpoint result.</summary>
public sealed class Problem : IResult
{
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ProblemType _type;
    private readonly (string, string)[] _values;

    private Problem(ProblemType type, (string, string)[] values) => (_type, _values) = (type, values);

    /// <summary>Faults to list; empty for none.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>Adds a Retry-After header (whole seconds, at least 1) when set.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>Further members with numbers (RFC 9457, 3.2), for programs; empty for none.</summary>
    public IReadOnlyList<(string Name, long Value)> Numbers { get; private init; } = [];

    /// <summary>The same problem with a Retry-After header.</summary>
    public Problem After(TimeSpan wait) => new(_type, _values) { Faults = Faults, RetryAfter = wait, Numbers = Numbers };

    /// <summary>The same problem with one more member.</summary>
    public Problem With(string name, long value) => new(_type, _values) { Faults = Faults, RetryAfter = RetryAfter, Numbers = [.. Numbers, (name, value)] };

    /// <summary>A problem whose detail text is filled with the values; a value that is the key of a text stands for that text in the reader's language.</summary>
    public static Problem Of(ProblemType type, params (string Name, string Value)[] values) => new(type, values);

    /// <summary>A problem with a list of faults.</summary>
    public static Problem Of(ProblemType type, IReadOnlyList<Fault> faults, params (string Name, string Value)[] values) => new(type, values) { Faults = faults };

    /// <summary>Writes a problem as the response.</summary>
    public static Task WriteAsync(HttpContext context, ProblemType type, params (string Name, string Value)[] values) => Of(type, values).ExecuteAsync(context);

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var texts = httpContext.RequestServices.GetRequiredService<Texts>();
        var language = RequestLanguage.Of(httpContext);
        var response = httpContext.Response;
        response.StatusCode = _type.Status;
        response.ContentType = "application/problem+json";
        response.Headers.ContentLanguage = language;
        if (RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        if (_type.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, JsonOptions))
        {
            json.WriteStartObject();
            json.WriteString("type", "urn:sekisho:problem:" + _type.Slug);
            json.WriteString("title", texts.Get($"problem.{_type.Slug}.title", language));
            json.WriteNumber("status", _type.Status);
            json.WriteString("detail", texts.Fill($"problem.{_type.Slug}.detail", language, _values));
            json.WriteString("correlationId", Correlation.Of(httpContext));
            foreach (var (name, value) in Numbers)
            {
                json.WriteNumber(name, value);
            }

            if (Faults.Count > 0)
            {
                json.WriteStartArray("faults");
                foreach (var fault in Faults)
                {
                    json.WriteStartObject();
                    json.WriteString("place", fault.Place);
                    json.WriteString("message", fault.Message);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        response.ContentLength = buffer.WrittenCount;
        return HttpMethods.IsHead(httpContext.Request.Method)
            ? Task.CompletedTask
            : response.Body.WriteAsync(buffer.WrittenMemory, httpContext.RequestAborted).AsTask();
    }
}

/// <summary>The language a request asks for.</summary>
public static class RequestLanguage
{
    /// <summary>"ja" when Accept-Language prefers Japanese, else "en".</summary>
    public static string Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var header = context.Request.Headers.AcceptLanguage.ToString();
        if (header.Length == 0)
        {
            return "en";
        }

        return context.Request.GetTypedHeaders().AcceptLanguage
            .Where(l => l.Quality is not 0)
            .OrderByDescending(l => l.Quality ?? 1)
            .Select(l => l.Value.ToString().Split('-')[0].ToLowerInvariant())
            .FirstOrDefault(Texts.Languages.Contains) ?? "en";
    }
}

/// <summary>Problems that any route may answer with.</summary>
public static class CommonProblems
{
    /// <summary>Nothing is there, or not for this holder.</summary>
    public static readonly ProblemType NotFound = new("not-found", StatusCodes.Status404NotFound);

    /// <summary>No valid session or key.</summary>
    public static readonly ProblemType SignInNeeded = new("sign-in-needed", StatusCodes.Status401Unauthorized);

    /// <summary>The holder's roles do not allow it.</summary>
    public static readonly ProblemType Forbidden = new("forbidden", StatusCodes.Status403Forbidden);

    /// <summary>The API key lacks the scope.</summary>
    public static readonly ProblemType ScopeMissing = new("scope-missing", StatusCodes.Status403Forbidden);

    /// <summary>The account must set a password of its own first.</summary>
    public static readonly ProblemType PasswordUnset = new("password-unset", StatusCodes.Status403Forbidden);

    /// <summary>Body is no JSON of the expected shape.</summary>
    public static readonly ProblemType BadRequest = new("bad-request", StatusCodes.Status400BadRequest);

    /// <summary>Values break rules; the faults name each.</summary>
    public static readonly ProblemType Invalid = new("invalid", StatusCodes.Status422UnprocessableEntity);

    /// <summary>It exists already, or was changed meanwhile.</summary>
    public static readonly ProblemType Conflict = new("conflict", StatusCodes.Status409Conflict);

    /// <summary>Body larger than allowed.</summary>
    public static readonly ProblemType BodyTooLarge = new("body-too-large", StatusCodes.Status413PayloadTooLarge);

    /// <summary>Too many requests.</summary>
    public static readonly ProblemType TooMany = new("too-many", StatusCodes.Status429TooManyRequests);

    /// <summary>A fault inside; the log has the correlation id.</summary>
    public static readonly ProblemType Internal = new("internal", StatusCodes.Status500InternalServerError);

    /// <summary>The gateway or its store cannot work now.</summary>
    public static readonly ProblemType Unavailable = new("unavailable", StatusCodes.Status503ServiceUnavailable);
}
