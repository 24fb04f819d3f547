using Microsoft.AspNetCore.Http;

namespace Sekisho.Gateway;

/// <summary>Headers that every answer carries: nothing is cached, framed, sniffed or run.</summary>
internal static class SecurityHeaders
{
    /// <summary>Middleware.</summary>
    public static Task Add(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.StrictTransportSecurity = "max-age=31536000";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        return next(context);
    }
}
