using System.Data.Common;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Api.Problems;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;
using Sekisho.Storage;

namespace Sekisho.Gateway;

/// <summary>Turns what a handler throws into a problem document, so that no fault reaches a sender as a bare status or a stack trace.</summary>
internal static partial class Faults
{
    private static readonly TimeSpan StoreRetry = TimeSpan.FromSeconds(5);

    /// <summary>Middleware around everything.</summary>
    public static async Task ToProblems(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e)
        {
            // Kestrel's and the binder's way to say that the request is at fault.
            var type = e.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => CommonProblems.BodyTooLarge,
                StatusCodes.Status408RequestTimeout => new ProblemType("too-slow", StatusCodes.Status408RequestTimeout),
                StatusCodes.Status415UnsupportedMediaType => new ProblemType("unsupported-media", StatusCodes.Status415UnsupportedMediaType),
                _ => CommonProblems.BadRequest,
            };
            await WriteAsync(context, Problem.Of(type, Places(context, e))).ConfigureAwait(false);
        }
        catch (JournalUnavailableException e)
        {
            await WriteAsync(context, Problem.Of(CommonProblems.Unavailable).After(e.RetryAfter)).ConfigureAwait(false);
        }
        catch (DbException e) when (Database.IsUnavailable(e) && !context.Response.HasStarted)
        {
            // Nothing of the request was stored. It may be sent again; until then the log says what the store lacks.
            StoreUnavailable(Logger(context), Correlation.Of(context), e);
            await WriteAsync(context, Problem.Of(CommonProblems.Unavailable).After(StoreRetry)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The sender hung up: there is nobody to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            // Whatever the fault, the other requests go on; this one is told so and the log has the details.
            Failed(Logger(context), context.Request.Method, context.GetEndpoint()?.Metadata.GetMetadata<IRouteDiagnosticsMetadata>()?.Route ?? "", Correlation.Of(context), e);
            await WriteAsync(context, Problem.Of(CommonProblems.Internal)).ConfigureAwait(false);
        }
    }

    // The serializer's own message names types of the program; its path is what the sender can use.
    private static IReadOnlyList<Fault> Places(HttpContext context, BadHttpRequestException fault) =>
        fault.InnerException is System.Text.Json.JsonException json
            ? [new Fault(json.Path ?? "$", context.RequestServices.GetRequiredService<Texts>().Get("fault.json", RequestLanguage.Of(context)))]
            : [];

    private static Task WriteAsync(HttpContext context, Problem problem)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        context.Response.Clear();
        return problem.ExecuteAsync(context);
    }

    private static ILogger Logger(HttpContext context) => context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Sekisho.Gateway");

    [LoggerMessage(2, LogLevel.Error, "The store cannot work now; correlation id {CorrelationId}")]
    private static partial void StoreUnavailable(ILogger logger, string correlationId, Exception fault);

    [LoggerMessage(1, LogLevel.Error, "{Method} {Route} failed; correlation id {CorrelationId}")]
    private static partial void Failed(ILogger logger, string method, string route, string correlationId, Exception fault);
}
