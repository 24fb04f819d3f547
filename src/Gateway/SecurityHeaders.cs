using Microsoft.AspNetCore.Http;

namespace Sekisho.Gateway;

/// <summary>Headers that every answer carries: nothing is cached, framed, sniffed or run.</summary>
internal static class SecurityHeaders
{
    /// <summary>Middleware. Set when the answer starts, so that an answer made anew after a fault has them too.</summary>
    public static Task Add(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(static state => Set(((HttpContext)state).Response.Headers), context);
        return next(context);
    }

    private static Task Set(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.StrictTransportSecurity = "max-age=31536000";

        // A page that is meant to be looked at states its own, as strict but for its own style.
        if (headers.ContentSecurityPolicy.Count == 0)
        {
            headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        }

        return Task.CompletedTask;
    }
}
