using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Behaviour.Sensors;

/// <summary>A sensor to register, or its new name.</summary>
/// <param name="Name">1 to 100 visible characters.</param>
internal sealed record SensorName(string? Name);

/// <summary>A sensor as the API shows it.</summary>
/// <param name="SensorId">Identifier.</param>
/// <param name="Name">Name for people.</param>
/// <param name="State">"waiting" until it has enrolled, then "active", or "revoked".</param>
/// <param name="CreatedBy">Who registered it.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="CertifiedUntil">Until when its certificate is valid; null without one.</param>
/// <param name="LastSequence">Highest interval taken.</param>
/// <param name="LastSeen">When the last new interval came.</param>
/// <param name="Missed">Intervals that never came although later ones did.</param>
/// <param name="Alarms">Kinds of the alarms that are on.</param>
internal sealed record SensorView(
    string SensorId, string Name, string State, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset? CertifiedUntil, long LastSequence, DateTimeOffset? LastSeen, long Missed, IReadOnlyList<string> Alarms);

/// <summary>A sensor with the code to enrol it. The code is shown here only.</summary>
/// <param name="Sensor">The sensor.</param>
/// <param name="Code">Good for one enrolment.</param>
/// <param name="CodeExpiresAt">Until then.</param>
/// <param name="Port">Port to enrol at; null while the gateway has none open for sensors (Gateway:SensorPort).</param>
/// <param name="CaFingerprint">SHA-256 of the gateway's CA, which the sensor checks before it shows the code.</param>
internal sealed record IssuedSensor(SensorView Sensor, string Code, DateTimeOffset CodeExpiresAt, int? Port, string CaFingerprint);

/// <summary>Routes for people who manage sensors.</summary>
internal static class SensorRoutes
{
    private const int LongestName = 100;

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/sensors", (string fieldId, SensorBook book) => Results.Ok(new Page<SensorView>([.. book.Of(fieldId).Select(e => View(e, book))], null)))
            .WithName("ListSensors").WithSummary("Lists the traffic sensors of a field.").WithTags("Sensors")
            .Produces<Page<SensorView>>()
            .Reads("sensors");
        routes.Field.MapPost("/sensors", RegisterAsync)
            .WithName("RegisterSensor").WithSummary("Registers a traffic sensor; the code to enrol it is in this answer and nowhere after.").WithTags("Sensors")
            .Produces<IssuedSensor>(StatusCodes.Status201Created).ProducesProblem(409).ProducesProblem(422)
            .Administers("sensors", "sensor.register");
        routes.Field.MapGet("/sensors/{sensorId}", (string fieldId, string sensorId, SensorBook book) => book.Find(fieldId, sensorId) is { } entry ? Results.Ok(View(entry, book)) : Problem.Of(CommonProblems.NotFound))
            .WithName("GetSensor").WithSummary("Shows a traffic sensor.").WithTags("Sensors")
            .Produces<SensorView>().ProducesProblem(404)
            .Reads("sensors");
        routes.Field.MapPut("/sensors/{sensorId}", RenameAsync)
            .WithName("RenameSensor").WithSummary("Renames a traffic sensor.").WithTags("Sensors")
            .Produces<SensorView>().ProducesProblem(404).ProducesProblem(422)
            .Administers("sensors", "sensor.rename");
        routes.Field.MapPost("/sensors/{sensorId}/code", RenewCodeAsync)
            .WithName("RenewSensorCode").WithSummary("Makes a new code for a traffic sensor that lost its key or was revoked; its present certificate ends when the code is used.").WithTags("Sensors")
            .Produces<IssuedSensor>().ProducesProblem(404)
            .Administers("sensors", "sensor.code");
        routes.Field.MapPost("/sensors/{sensorId}/revoke", RevokeAsync)
            .WithName("RevokeSensor").WithSummary("Shuts a traffic sensor out; what it saw stays.").WithTags("Sensors")
            .Produces<SensorView>().ProducesProblem(404)
            .Administers("sensors", "sensor.revoke");
    }

    private static async Task<IResult> RegisterAsync(HttpContext context, string fieldId, SensorName asked, SensorDesk desk, SensorBook book, ISensorAuthority authority, Texts texts, CancellationToken cancellation)
    {
        if (Valid(asked) is not { } name)
        {
            return NameFault(context, texts);
        }

        if (await desk.RegisterAsync(fieldId, name, context.User.NameOf(), Correlation.Of(context), cancellation) is not { } made)
        {
            return Problem.Of(SensorProblems.TooManySensors);
        }

        context.Response.Headers.CacheControl = "no-store";
        return Results.Created($"/api/v1/fields/{fieldId}/sensors/{made.Entry.Sensor.Id}", Issued(made.Entry, made.Code, book, authority));
    }

    private static async Task<IResult> RenameAsync(HttpContext context, string fieldId, string sensorId, SensorName asked, SensorDesk desk, SensorBook book, Texts texts, CancellationToken cancellation) =>
        book.Find(fieldId, sensorId) is not { } entry ? Problem.Of(CommonProblems.NotFound)
        : Valid(asked) is not { } name ? NameFault(context, texts)
        : await desk.RenameAsync(entry, name, context.User.NameOf(), Correlation.Of(context), cancellation) ? Results.Ok(View(entry, book))
        : Problem.Of(CommonProblems.NotFound);

    private static async Task<IResult> RenewCodeAsync(HttpContext context, string fieldId, string sensorId, SensorDesk desk, SensorBook book, ISensorAuthority authority, CancellationToken cancellation)
    {
        if (book.Find(fieldId, sensorId) is not { } entry || await desk.RenewCodeAsync(entry, context.User.NameOf(), Correlation.Of(context), cancellation) is not { } code)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        context.Response.Headers.CacheControl = "no-store";
        return Results.Ok(Issued(entry, code, book, authority));
    }

    private static async Task<IResult> RevokeAsync(HttpContext context, string fieldId, string sensorId, SensorDesk desk, SensorBook book, CancellationToken cancellation) =>
        book.Find(fieldId, sensorId) is { } entry && await desk.RevokeAsync(entry, context.User.NameOf(), Correlation.Of(context), cancellation)
            ? Results.Ok(View(entry, book)) : Problem.Of(CommonProblems.NotFound);

    private static SensorView View(SensorEntry entry, SensorBook book)
    {
        var sensor = entry.Sensor;
        return new SensorView(
            sensor.Id, sensor.Name, sensor.State, sensor.CreatedBy, sensor.CreatedAt, book.CertifiedUntil(entry), sensor.LastSequence, sensor.LastSeen, sensor.Missed,
            [.. (sensor.Status?.Alarms ?? new Dictionary<string, Alarm>()).Where(a => a.Value.On).Select(a => a.Key).Order(StringComparer.Ordinal)]);
    }

    private static IssuedSensor Issued(SensorEntry entry, string code, SensorBook book, ISensorAuthority authority) =>
        new(View(entry, book), code, entry.Sensor.CodeExpiresAt!.Value, authority.Port, authority.Fingerprint);

    private static IResult NameFault(HttpContext context, Texts texts) =>
        Problem.Of(CommonProblems.Invalid, [new Fault("/name", texts.Get("behaviour.rule.name", RequestLanguage.Of(context)))]);

    private static string? Valid(SensorName asked)
    {
        var name = asked.Name?.Trim() ?? "";
        return name.Length is > 0 and <= LongestName && name.EnumerateRunes().All(r => Rune(r)) ? name : null;
    }

    // What is shown beside other names must not be able to reorder or hide them.
    private static bool Rune(System.Text.Rune rune) => System.Text.Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) && rune != System.Text.Rune.ReplacementChar;
}
