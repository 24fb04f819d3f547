using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Devices.Credentials;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Devices.Fields;

/// <summary>Routes for fields: maintainers make and delete them, administrators change their own.</summary>
internal static class FieldRoutes
{
    private static readonly ProblemType Exists = new("field-exists", StatusCodes.Status409Conflict);
    private static readonly ProblemType NotEmpty = new("field-not-empty", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Ops.MapPost("/fields", CreateAsync)
            .WithName("CreateField").WithSummary("Makes a field.").WithTags("Devices")
            .Produces<FieldProfile>(StatusCodes.Status201Created).ProducesProblem(409).ProducesProblem(422)
            .Maintains("fields", "field.create");
        routes.Ops.MapGet("/fields", (FieldStore fields) => Results.Ok(List(fields.All)))
            .WithName("ListAllFields").WithSummary("Lists all fields of the gateway.").WithTags("Devices")
            .Produces<Page<FieldProfile>>()
            .Watches("fields");
        routes.Ops.MapDelete("/fields/{fieldId}", DeleteAsync)
            .WithName("DeleteField").WithSummary("Deletes a field that has no devices.").WithTags("Devices")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(404).ProducesProblem(409)
            .Maintains("fields", "field.delete");
        routes.Api.MapGet("/fields", (HttpContext context, FieldStore fields) => Results.Ok(List(fields.All.Where(f => context.User.MaySee(f.FieldId)))))
            .WithName("ListFields").WithSummary("Lists the fields that the holder may see.").WithTags("Devices")
            .Produces<Page<FieldProfile>>()
            .WithMetadata(new RouteAccess([], "fields:read"));
        routes.Field.MapGet("", (string fieldId, FieldStore fields) => fields.Find(fieldId) is { } field ? Results.Ok(field) : Problem.Of(CommonProblems.NotFound))
            .WithName("GetField").WithSummary("Shows a field.").WithTags("Devices")
            .Produces<FieldProfile>().ProducesProblem(404)
            .Reads("fields");
        routes.Field.MapPut("", ChangeAsync)
            .WithName("ChangeField").WithSummary("Changes name, time zone, contact point and language of a field.").WithTags("Devices")
            .Produces<FieldProfile>().ProducesProblem(404).ProducesProblem(422)
            .Administers("fields", "field.change");
    }

    private static Page<FieldProfile> List(IEnumerable<FieldProfile> fields) => new([.. fields.OrderBy(f => f.FieldId, StringComparer.Ordinal)], null);

    private static async Task<IResult> CreateAsync(HttpContext context, NewField asked, FieldStore fields, Texts texts, CancellationToken cancellation)
    {
        var (field, broken) = FieldRules.Judge(asked);
        if (broken.Count > 0)
        {
            return Rules.Problem(context, texts, broken);
        }

        return await fields.CreateAsync(field, Caller.Of(context), cancellation)
            ? Results.Created("/api/v1/fields/" + field.FieldId, field)
            : Problem.Of(Exists);
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, string fieldId, FieldChange asked, FieldStore fields, Texts texts, CancellationToken cancellation)
    {
        if (fields.Find(fieldId) is not { } present)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var (field, broken) = FieldRules.Judge(present, asked);
        if (broken.Count > 0)
        {
            return Rules.Problem(context, texts, broken);
        }

        return await fields.ChangeAsync(field, Caller.Of(context), cancellation) ? Results.Ok(field) : Problem.Of(CommonProblems.NotFound);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string fieldId, FieldStore fields, ProductLines lines, CancellationToken cancellation)
    {
        if (fields.Find(fieldId) is null)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        if (!await fields.DeleteAsync(fieldId, Caller.Of(context), cancellation))
        {
            return Problem.Of(NotEmpty);
        }

        lines.Forget(fieldId);
        return Results.NoContent();
    }
}
