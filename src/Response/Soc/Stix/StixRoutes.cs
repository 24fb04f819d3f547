using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Incidents;
using Sekisho.Response.Orders;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Stix;

/// <summary>What the handlers of bundles need.</summary>
internal sealed record StixTools(
    IFindings Findings, IDeviceDirectory Directory, SocStore Store, SocSettings Settings, IncidentStore Incidents, IncidentLeases Leases, IncidentFiles Files, LeaseOrders Orders, Texts Texts, TimeProvider Clock);

/// <summary>A finding or an incident as STIX, to be passed on by hand.</summary>
internal static class StixRoutes
{
    private const string Media = "application/stix+json;version=2.1";
    private const int MostResponses = 200;

    public static void Map(RouteGroups routes)
    {
        Described(routes.Field.MapGet("/detections/{id}/stix", FindingAsync), "detection", "field").Reads("detections");
        Described(routes.Ops.MapGet("/detections/{id}/stix", FindingAsync), "detection", "gateway").Watches("detections");
        Described(routes.Field.MapGet("/incidents/{id}/stix", IncidentAsync), "incident", "field").Reads("responses");
        Described(routes.Ops.MapGet("/incidents/{id}/stix", IncidentAsync), "incident", "gateway").Watches("responses");
    }

    private static RouteHandlerBuilder Described(RouteHandlerBuilder route, string what, string whose) => route
        .Produces<JsonObject>(StatusCodes.Status200OK, Media)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .WithName($"read-{what}-stix-{whose}")
        .WithSummary($"The {what} of the {whose} as a STIX 2.1 bundle; marked properties (names, addresses, …) stand in it only when 'allow' names their marks. 'tlp' is white, green, amber (as usual) or red.")
        .WithTags("Response");

    private static async Task<IResult> FindingAsync(HttpContext context, string id, string? allow, string? tlp, [AsParameters] StixTools tools, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var wanted = Wanted(allow, tlp, tools, language);
        if (wanted.Faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, wanted.Faults);
        }

        if (await tools.Findings.FindAsync(id, cancellation) is not { } finding || finding.FieldId != FieldOf(context))
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        string Title(Finding f) => tools.Texts.Name("condition", f.Condition, language);
        var subject = await SubjectAsync(finding.Id, Title(finding), finding.FieldId, wanted, language, tools, cancellation);
        return Results.Text(StixBundle.Of(subject, [finding], tools.Directory.Device, Title).ToJsonString(), Media);
    }

    private static async Task<IResult> IncidentAsync(HttpContext context, string id, string? allow, string? tlp, [AsParameters] StixTools tools, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var wanted = Wanted(allow, tlp, tools, language);
        if (wanted.Faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, wanted.Faults);
        }

        if (await tools.Incidents.FindAsync(FieldOf(context), id, cancellation) is not { } incident)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var findings = new Dictionary<string, Finding>(StringComparer.Ordinal);
        foreach (var key in incident.Details.Conditions.SelectMany(c => new[] { c.First, c.Last }).Distinct())
        {
            if (await tools.Findings.FindAsync(key, cancellation) is { } found)
            {
                findings[key] = found;
            }
        }

        // Only what does something to a device: a mail mitigates nothing.
        var responses = (await tools.Leases.ListAsync(incident, MostResponses, cancellation)).Where(l => tools.Orders.Actions.TryGetValue(l.Action, out var a) && (a is { CanUndo: true, Stays: false } || a.Disturbs)).ToList();
        var words = tools.Files.Words(incident.FieldId, language);
        var gravest = incident.Details.Conditions.MaxBy(c => Levels.Rank(c.Level));
        var subject = await SubjectAsync(incident.Id, gravest is null ? incident.Id : words.Condition(gravest), incident.FieldId, wanted, language, tools, cancellation);
        return Results.Text(StixIncident.Of(subject, incident, findings, responses, await tools.Leases.VersionsAsync(incident, cancellation), tools.Directory.Device, words).ToJsonString(), Media);
    }

    private static (IReadOnlyList<string> Allowed, string Colour, IReadOnlyList<Fault> Faults) Wanted(string? allow, string? tlp, StixTools tools, string language)
    {
        var allowed = (allow ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var faults = new List<Fault>();
        if (!allowed.All(PrivacyMarks.All.Contains))
        {
            faults.Add(Fault("allow", PrivacyMarks.All));
        }

        if (tlp is not null && !Tlp.All.Contains(tlp))
        {
            faults.Add(Fault("tlp", Tlp.All));
        }

        return (allowed, tlp ?? Tlp.Usual, faults);

        Fault Fault(string name, IReadOnlyList<string> all) => new(name, tools.Texts.Get("soc.fault.some-of", language, ("allowed", string.Join(", ", all))));
    }

    private static async Task<StixSubject> SubjectAsync(
        string key, string name, string? fieldId, (IReadOnlyList<string> Allowed, string Colour, IReadOnlyList<Fault> Faults) wanted, string language, StixTools tools, CancellationToken cancellation)
    {
        var sector = fieldId is null ? null : (await tools.Store.FieldsAsync(cancellation)).GetValueOrDefault(fieldId)?.Sector;
        return new StixSubject(key, name, tools.Settings.Gateway, fieldId is null ? null : tools.Directory.Field(fieldId), sector, wanted.Allowed, language, tools.Clock.GetUtcNow(), wanted.Colour);
    }

    private static string? FieldOf(HttpContext context) => context.Request.RouteValues["fieldId"] as string;
}
