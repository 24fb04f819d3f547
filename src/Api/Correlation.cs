using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Sekisho.Api;

/// <summary>One id from the request over findings and responses to every record.</summary>
public static class Correlation
{
    private const string Key = "sekisho.correlation";

    /// <summary>The request's id: the trace id of a valid traceparent header (W3C Trace Context), else that of the request's own trace when traces are exported, else a new one. 32 lower-case hex digits.</summary>
    public static string Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Items.TryGetValue(Key, out var known))
        {
            return (string)known!;
        }

        var parent = context.Request.Headers.TraceParent;
        var id = parent.Count == 1 && ActivityContext.TryParse(parent[0], null, out var trace)
            ? trace.TraceId.ToHexString()
            : context.Features.Get<IHttpActivityFeature>()?.Activity is { IdFormat: ActivityIdFormat.W3C } traced ? traced.TraceId.ToHexString()
            : New();
        context.Items[Key] = id;
        return id;
    }

    /// <summary>A new id for what starts inside the gateway.</summary>
    public static string New() => ActivityTraceId.CreateRandom().ToHexString();
}
