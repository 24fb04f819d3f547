using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Signatures;

namespace Sekisho.Detection.Templates;

/// <summary>
/// Templates and settings as files: a template travels as its YAML with a signature in the last line, a field's settings as the JSON that
/// PUT /template takes.
/// </summary>
internal static class TemplateFileRoutes
{
    private const int MostBytes = 1 << 20;
    private const string Yaml = "application/yaml";
    private static readonly ProblemType Unsigned = new("template-unsigned", StatusCodes.Status422UnprocessableEntity);
    private static readonly ProblemType Tampered = new("template-tampered", StatusCodes.Status422UnprocessableEntity);
    private static readonly ProblemType UnknownSigner = new("template-unknown-signer", StatusCodes.Status422UnprocessableEntity);
    private static readonly ProblemType Exists = new("template-exists", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Api.MapGet("/templates/{id}/file", (string id, int? version, TemplateCatalog catalog, TemplateSigner signer) =>
                (version is { } asked ? catalog.Find(id, asked) : catalog.Find(id)) is { } template
                    ? Results.File(Encoding.UTF8.GetBytes(signer.Sign(template.Source)), Yaml, $"{template.Id}-{template.Version}.yaml")
                    : Problem.Of(CommonProblems.NotFound))
            .WithName("ExportTemplate").WithSummary("The template's file, signed by this gateway.").WithTags("Detection")
            .Produces(StatusCodes.Status200OK, contentType: Yaml).Reads("templates");
        routes.Api.MapPost("/templates", ImportAsync)
            .WithName("ImportTemplate").WithSummary("Takes in a template file (the body). It must be signed by this gateway or by a key of Detection:Templates:TrustedKeys, and changes nothing until a field puts it in force.").WithTags("Detection")
            .Accepts<string>(Yaml, "application/json").Produces<TemplateView>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .Administers("templates", "template.import");
        routes.Api.MapGet("/template-key", (TemplateSigner signer) => TypedResults.Ok(new TemplateKeyView(signer.KeyId, signer.PublicKey)))
            .WithName("GetTemplateKey").WithSummary("The public key that this gateway's files are signed with, for the settings of another.").WithTags("Detection")
            .Produces<TemplateKeyView>().Reads("templates");
        routes.Field.MapGet("/template/file", (string fieldId, FieldPlans plans) => plans.Find(fieldId) is { } inForce
                ? Results.Json(
                    new SettingsFile(inForce.Template.Id, inForce.Template.Version, TemplateValues.Write(inForce.Template, inForce.Values)),
                    System.Text.Json.JsonSerializerOptions.Web)
                : Problem.Of(CommonProblems.NotFound))
            .WithName("ExportFieldTemplate").WithSummary("The field's settings as a file; PUT /template takes it as it is, also in another field.").WithTags("Detection")
            .Produces<SettingsFile>().Reads("templates");
    }

    private static async Task<IResult> ImportAsync(HttpContext context, TemplateSigner signer, TemplateReader reader, TemplateStore store, TemplateSettings settings, Texts texts, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        if (await ReadAsync(context.Request.Body, cancellation).ConfigureAwait(false) is not { } bytes)
        {
            return Problem.Of(CommonProblems.BodyTooLarge);
        }

        if (Text(bytes) is not { } text)
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("", texts.Get("detection.fault.utf-8", language))]);
        }

        var verdict = signer.Verify(text, out var body, out var by);
        switch (verdict)
        {
            case SignatureVerdict.Tampered:
                return Problem.Of(Tampered);
            case SignatureVerdict.UnknownSigner:
                return Problem.Of(UnknownSigner, ("key", by!));
            case SignatureVerdict.NotSigned when !settings.AcceptUnsigned:
                return Problem.Of(Unsigned);
            default:
                break;
        }

        var faults = new List<string>();
        if (reader.Read("template.yaml", body, faults) is not { } template)
        {
            return Problem.Of(CommonProblems.Invalid, [.. faults.Select(f => new Fault(f[..f.IndexOf(' ', StringComparison.Ordinal)].TrimEnd(':'), f[(f.IndexOf(' ', StringComparison.Ordinal) + 1)..]))]);
        }

        return await store.ImportAsync(template, by, context.User.NameOf(), Correlation.Of(context)).ConfigureAwait(false)
            ? Results.Created((string?)null, TemplateView.Of(template, FieldTemplate.NoValues, texts, language))
            : Problem.Of(Exists, ("id", template.Id), ("version", template.Version.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static async Task<byte[]?> ReadAsync(Stream body, CancellationToken cancellation)
    {
        using var all = new MemoryStream();
        var piece = new byte[16 * 1024];
        while (await body.ReadAsync(piece, cancellation).ConfigureAwait(false) is > 0 and var count)
        {
            if (all.Length + count > MostBytes)
            {
                return null;
            }

            all.Write(piece, 0, count);
        }

        return all.ToArray();
    }

    private static string? Text(byte[] bytes)
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}

/// <summary>A public key.</summary>
/// <param name="Id">Short name, as signatures carry it.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo in base64.</param>
internal sealed record TemplateKeyView(string Id, string PublicKey);

/// <summary>A field's settings as a file.</summary>
internal sealed record SettingsFile(string TemplateId, int Version, IReadOnlyDictionary<string, string> Parameters);
