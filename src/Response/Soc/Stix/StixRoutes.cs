using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Stix;

/// <summary>What the handler of bundles needs.</summary>
internal sealed record StixTools(IFindings Findings, IDeviceDirectory Directory, SocStore Store, SocSettings Settings, Texts Texts);

/// <summary>A finding as STIX, to be passed on by hand.</summary>
internal static class StixRoutes
{
    private const string Media = "application/stix+json;version=2.1";

    public static void Map(RouteGroups routes)
    {
        Get(routes.Field, "field").Reads("detections");
        Get(routes.Ops, "gateway").Watches("detections");
    }

    private static RouteHandlerBuilder Get(RouteGroupBuilder group, string whose) => group
        .MapGet("/detections/{id}/stix", async (HttpContext context, string id, string? allow, [AsParameters] StixTools tools, CancellationToken cancellation) =>
        {
            var language = RequestLanguage.Of(context);
            var allowed = (allow ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (!allowed.All(PrivacyMarks.All.Contains))
            {
                return Problem.Of(CommonProblems.Invalid, [new Fault("allow", tools.Texts.Get("soc.fault.some-of", language, ("allowed", string.Join(", ", PrivacyMarks.All))))]);
            }

            var fieldId = context.Request.RouteValues["fieldId"] as string;
            if (await tools.Findings.FindAsync(id, cancellation) is not { } finding || finding.FieldId != fieldId)
            {
                return Problem.Of(CommonProblems.NotFound);
            }

            string Title(Finding f) => tools.Texts.Keys(language).Contains("condition." + f.Condition) ? tools.Texts.Get("condition." + f.Condition, language) : f.Condition;
            var sector = fieldId is null ? null : (await tools.Store.FieldsAsync(cancellation)).GetValueOrDefault(fieldId)?.Sector;
            var subject = new StixSubject(finding.Id, Title(finding), tools.Settings.Gateway, fieldId is null ? null : tools.Directory.Field(fieldId), sector, allowed);
            return Results.Text(StixBundle.Of(subject, [finding], tools.Directory.Device, Title).ToJsonString(), Media);
        })
        .Produces<JsonObject>(StatusCodes.Status200OK, Media)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"read-detection-stix-{whose}")
        .WithSummary($"A detection of the {whose} as a STIX 2.1 bundle; marked properties (names, addresses, …) stand in it only when 'allow' names their marks.")
        .WithTags("Response");
}
