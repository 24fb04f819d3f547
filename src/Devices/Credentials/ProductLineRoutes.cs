using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Devices.Credentials;

/// <summary>A product line to make.</summary>
/// <param name="Name">1 to 100 characters, once per field.</param>
internal sealed record NewProductLine(string? Name);

/// <summary>A product line as the API shows it.</summary>
internal sealed record ProductLineView(string ProductLineId, string Name, string CommonAuthId, DateTimeOffset CreatedAt);

/// <summary>A product line that was just made. The secret is shown here only.</summary>
internal sealed record IssuedProductLine(ProductLineView ProductLine, string CommonAuthId, string AuthSecret);

/// <summary>Routes for product lines.</summary>
internal static class ProductLineRoutes
{
    private static readonly ProblemType Exists = new("product-line-exists", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/product-lines", (string fieldId, ProductLines lines) => Results.Ok(new Page<ProductLineView>([.. lines.Of(fieldId).Select(View)], null)))
            .WithName("ListProductLines").WithSummary("Lists the product lines whose devices share a credential.").WithTags("Devices")
            .Produces<Page<ProductLineView>>()
            .Reads("product-lines");
        routes.Field.MapPost("/product-lines", CreateAsync)
            .WithName("CreateProductLine").WithSummary("Makes a product line; its secret is in this answer and nowhere after.").WithTags("Devices")
            .Produces<IssuedProductLine>(StatusCodes.Status201Created).ProducesProblem(409).ProducesProblem(422)
            .Administers("product-lines", "product-line.create");
    }

    private static async Task<IResult> CreateAsync(HttpContext context, string fieldId, NewProductLine asked, ProductLines lines, IDeviceDirectory directory, Texts texts, CancellationToken cancellation)
    {
        var name = asked.Name?.Trim() ?? "";
        if (!Rules.Printable(name, 1, 100))
        {
            return Rules.Problem(context, texts, [new BrokenRule("/name", "name")]);
        }

        if (await lines.CreateAsync(fieldId, name, Caller.Of(context), cancellation) is not { } made)
        {
            return Problem.Of(directory.Field(fieldId) is null ? CommonProblems.NotFound : Exists);
        }

        context.Response.Headers.CacheControl = "no-store";
        return Results.Created($"/api/v1/fields/{fieldId}/product-lines", new IssuedProductLine(View(made.Line), made.Line.CommonAuthId, made.Secret));
    }

    private static ProductLineView View(ProductLine line) => new(line.LineId, line.Name, line.CommonAuthId, line.CreatedAt);
}
