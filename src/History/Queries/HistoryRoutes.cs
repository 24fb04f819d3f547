using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.History;
using Sekisho.History.Zones;
using Sekisho.Storage;

namespace Sekisho.History.Queries;

/// <summary>Routes that read the history.</summary>
internal static partial class HistoryRoutes
{
    private static readonly ProblemType Damaged = new("history-damaged", StatusCodes.Status500InternalServerError);

    /// <summary>Maps them.</summary>
    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/history", OfFieldAsync)
            .Reads("history")
            .WithName("getFieldHistory").WithTags("History")
            .WithSummary("What happened in the field, newest first: data in and out, authentications, refusals, device states, detections, responses, operator actions.")
            .Produces<Page<HistoryLine>>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .AddEndpointFilter(TellDamageAsync);
        routes.Field.MapGet("/messages", MessagesAsync)
            .Reads("messages")
            .WithName("getFieldMessages").WithTags("History")
            .WithSummary("Kept messages of the field with their payload, newest first. Sensitive properties are masked for responders and auditors.")
            .Produces<Page<MessageLine>>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .AddEndpointFilter(TellDamageAsync);
        routes.Ops.MapGet("/history", OfGatewayAsync)
            .Watches("history")
            .WithName("getGatewayHistory").WithTags("History")
            .WithSummary("What happened on the gateway outside any field, newest first.")
            .Produces<Page<HistoryLine>>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .AddEndpointFilter(TellDamageAsync);
    }

    private static async Task<IResult> OfFieldAsync(string fieldId, [AsParameters] HistoryRequest asked, HttpContext context, HistorySearch search)
    {
        var reader = new FilterReader(context);
        var filter = reader.Read(fieldId, asked.Device, asked.Kind, asked.From, asked.To, asked.Correlation, asked.After, asked.Limit);
        return reader.Faults.Count > 0
            ? Problem.Of(CommonProblems.Invalid, reader.Faults)
            : Results.Ok(await search.FindAsync(filter, context.RequestAborted).ConfigureAwait(false));
    }

    private static async Task<IResult> OfGatewayAsync([AsParameters] GatewayHistoryRequest asked, HttpContext context, HistorySearch search)
    {
        var reader = new FilterReader(context);
        var filter = reader.Read(null, null, asked.Kind, asked.From, asked.To, asked.Correlation, asked.After, asked.Limit);
        return reader.Faults.Count > 0
            ? Problem.Of(CommonProblems.Invalid, reader.Faults)
            : Results.Ok(await search.FindAsync(filter, context.RequestAborted).ConfigureAwait(false));
    }

    private static async Task<IResult> MessagesAsync(
        string fieldId, [AsParameters] MessagesRequest asked, HttpContext context, MessageSearch search, FieldClock times, IPayloadMarks marks)
    {
        var reader = new FilterReader(context);
        var filter = reader.Read(fieldId, asked.Device, null, asked.From, asked.To, null, asked.After, asked.Limit);
        if (reader.Faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, reader.Faults);
        }

        var mask = new PayloadMask(context.User.Is(Roles.Administrator) ? [] : marks.Sensitive(fieldId));
        var page = await search.FindAsync(filter, context.RequestAborted).ConfigureAwait(false);
        return Results.Ok(new Page<MessageLine>([.. page.Items.Select(m => MessageLine.Of(m, times, mask))], page.Next));
    }

    /// <summary>Data that was changed outside Sekisho is told as such, and never shown.</summary>
    private static async ValueTask<object?> TellDamageAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        try
        {
            return await next(invocation).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            var context = invocation.HttpContext;
            Unreadable(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Sekisho.History"), Correlation.Of(context), e);
            return Problem.Of(Damaged);
        }
    }

    [LoggerMessage(5010, LogLevel.Error, "Kept history cannot be read (correlation {CorrelationId}): it was changed outside Sekisho or belongs to another key.")]
    private static partial void Unreadable(ILogger logger, string correlationId, Exception exception);
}
