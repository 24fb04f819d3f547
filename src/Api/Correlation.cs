using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Sekisho.Api;

/// <summary>One id from the request over findings and responses to every record.</summary>
public static class Correlation
{
    /// <summary>The request's id: the trace id of a valid traceparent header (W3C Trace Context), else that of the request's own trace when traces are exported, else a new one. 32 lower-case hex digits.</summary>
    public static string Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (IsOurs(context.TraceIdentifier))
        {
            return context.TraceIdentifier;
        }

        var parent = context.Request.Headers.TraceParent;
        var id = parent.Count == 1 && ActivityContext.TryParse(parent[0], null, out var trace)
            ? trace.TraceId.ToHexString()
            : context.Features.Get<IHttpActivityFeature>()?.Activity is { IdFormat: ActivityIdFormat.W3C } traced ? traced.TraceId.ToHexString()
            : New();
        context.TraceIdentifier = id;
        return id;
    }

    /// <summary>A new id for what starts inside the gateway.</summary>
    public static string New() => ActivityTraceId.CreateRandom().ToHexString();

    // The server's own identifiers have a colon between connection and request.
    private static bool IsOurs(string identifier) => identifier.Length == 32 && !identifier.Contains(':', StringComparison.Ordinal);
}
