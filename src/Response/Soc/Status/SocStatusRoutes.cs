using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Soc.Receivers;
using Sekisho.Response.Soc.Sending;

namespace Sekisho.Response.Soc.Status;

/// <summary>What a receiver reports.</summary>
/// <param name="EventId">Identifier of the finding or of the response, as the event carried it.</param>
/// <param name="Status">"acknowledged", "closed" or "false-alarm".</param>
/// <param name="CaseId">The receiver's own number, at most 100 characters.</param>
/// <param name="Note">What its people say, at most 2000 characters.</param>
internal sealed record SocStatusRequest(string? EventId, string? Status, string? CaseId, string? Note);

/// <summary>What came of a report.</summary>
/// <param name="Repeat">The receiver said the same before; nothing changed.</param>
/// <param name="Labelled">The finding was acknowledged, or closed as a false alarm.</param>
internal sealed record SocStatusAnswer(bool Repeat, bool Labelled);

/// <summary>What the handler of reports needs.</summary>
internal sealed record SocStatusTools(SocStore Receivers, SocStatusStore Reports, IFindings Findings, IFindingLabels Labels, LeaseStore Leases, Texts Texts, TimeProvider Clock);

/// <summary>The way back: what SOCs made of events.</summary>
internal static class SocStatusRoutes
{
    private const int LongestCase = 100;
    private const int LongestNote = 2000;

    public static void Map(RouteGroups routes)
    {
        Add(routes.Field, "field").Responds("soc-status", SocReceiver.StatusOperation);
        List(routes.Field, "field").Reads("soc-status");
        Add(routes.Ops, "gateway").Maintains("soc-status", SocReceiver.StatusOperation);
        List(routes.Ops, "gateway").Watches("soc-status");
    }

    private static RouteHandlerBuilder Add(RouteGroupBuilder group, string whose) => group
        .MapPost("/soc/status", async (HttpContext context, SocStatusRequest request, [AsParameters] SocStatusTools tools, CancellationToken cancellation) =>
        {
            var faults = Check(request, tools.Texts, RequestLanguage.Of(context));
            if (faults.Count > 0)
            {
                return Problem.Of(CommonProblems.Invalid, faults);
            }

            var fieldId = FieldOf(context);
            if (await ReporterAsync(fieldId, context.User.NameOf(), tools.Receivers, cancellation) is not { } receiver)
            {
                return Problem.Of(ResponseProblems.SocNoReporter);
            }

            var (report, finding) = await FindAsync(fieldId, request, tools, cancellation);
            if (report is null)
            {
                return Problem.Of(CommonProblems.NotFound);
            }

            var fresh = await tools.Reports.AddAsync(receiver, report, Correlation.Of(context), cancellation);

            // Also for a repeat: the one before may have been kept and not have come so far.
            var labelled = finding is not null && report.Status != SocStatuses.Closed && (fresh || report.Status == SocStatuses.FalseAlarm)
                && (await tools.Labels.LabelAsync(
                    [finding.Id],
                    report.Status == SocStatuses.FalseAlarm ? Closings.FalseAlarm : null,
                    $"{receiver.Name}: {string.Join(' ', new[] { report.CaseId, report.Note ?? report.Status }.Where(p => !string.IsNullOrEmpty(p)))}",
                    receiver.Actor,
                    tools.Clock.GetUtcNow(),
                    Correlation.Of(context),
                    CancellationToken.None)).Count > 0;
            return Results.Ok(new SocStatusAnswer(!fresh, labelled));
        })
        .Produces<SocStatusAnswer>()
        .ProducesProblem(StatusCodes.Status403Forbidden)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"report-soc-status-{whose}")
        .WithSummary($"A receiver reports what it made of a detection or response of the {whose}; a repeat changes nothing, and the receiver is not sent its own report.")
        .WithTags("Response");

    private static RouteHandlerBuilder List(RouteGroupBuilder group, string whose) => group
        .MapGet("/soc/status", async (HttpContext context, string? finding, int? limit, SocStatusStore reports, CancellationToken cancellation) =>
            Results.Ok(await reports.ListAsync(FieldOf(context), finding, Paging.Limit(limit), cancellation)))
        .Produces<IReadOnlyList<KeptReport>>()
        .WithName($"list-soc-status-{whose}")
        .WithSummary($"What receivers reported about detections and responses of the {whose}, newest first; of one finding and its responses when it is named.")
        .WithTags("Response");

    private static List<Fault> Check(SocStatusRequest request, Texts texts, string language)
    {
        var faults = new List<Fault>();
        if (request.EventId is not { Length: > 0 and <= 64 } || !request.EventId.All(char.IsAsciiLetterOrDigit))
        {
            faults.Add(new Fault("/eventId", texts.Get("soc.fault.event", language)));
        }

        if (request.Status is null || !SocStatuses.All.Contains(request.Status))
        {
            faults.Add(new Fault("/status", texts.Get("soc.fault.one-of", language, ("allowed", string.Join(", ", SocStatuses.All)))));
        }

        if (request.CaseId is { Length: > LongestCase } || request.CaseId?.Any(char.IsControl) == true)
        {
            faults.Add(new Fault("/caseId", texts.Get("soc.fault.text", language, ("most", $"{LongestCase}"))));
        }

        if (request.Note is { Length: > LongestNote } || request.Note?.Contains('\0', StringComparison.Ordinal) == true)
        {
            faults.Add(new Fault("/note", texts.Get("soc.fault.text", language, ("most", $"{LongestNote}"))));
        }

        return faults;
    }

    /// <summary>The receiver that reports by this name: one of the field, or one of the gateway that gets the field's records because it shares them.</summary>
    private static async Task<SocReceiver?> ReporterAsync(string? fieldId, string name, SocStore receivers, CancellationToken cancellation)
    {
        var own = await receivers.ReporterAsync(fieldId, name, cancellation);
        if (own is not null || fieldId is null)
        {
            return own;
        }

        return await receivers.ReporterAsync(null, name, cancellation) is { } shared && SocPorts.ReachOf(shared, await receivers.FieldsAsync(cancellation)).Fields.Contains(fieldId) ? shared : null;
    }

    /// <summary>What the report is about, when it belongs to the field (or the gateway) of the route; what is another field's does not exist here.</summary>
    private static async Task<(SocReport? Report, Finding? Finding)> FindAsync(string? fieldId, SocStatusRequest request, SocStatusTools tools, CancellationToken cancellation)
    {
        if (await tools.Findings.FindAsync(request.EventId!, cancellation) is { } finding)
        {
            return finding.FieldId == fieldId
                ? (new SocReport(fieldId, finding.Id, finding.Id, finding.DeviceId, request.Status!, Null(request.CaseId), Null(request.Note)), finding)
                : (null, null);
        }

        return await tools.Leases.FindAsync(request.EventId!, cancellation) is { } lease && lease.FieldId == fieldId
            ? (new SocReport(fieldId, lease.Id, lease.FindingId, lease.DeviceId, request.Status!, Null(request.CaseId), Null(request.Note)), null)
            : (null, null);
    }

    private static string? Null(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private static string? FieldOf(HttpContext context) => context.Request.RouteValues["fieldId"] as string;
}
