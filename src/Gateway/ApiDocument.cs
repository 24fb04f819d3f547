using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Sekisho.Api.Access;

namespace Sekisho.Gateway;

/// <summary>What the OpenAPI document says beside the routes: how to sign in, and that every refusal is a problem document.</summary>
internal static class ApiDocument
{
    private const string Bearer = "bearer";
    private const string Certificate = "sensorCertificate";

    /// <summary>Completes the document.</summary>
    public static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Sekisho",
                Version = "v1",
                Description = "/device/v1 is for devices and answers on the device port only, /sensor/v1 for traffic sensors on theirs; everything else is for people and systems that manage the gateway and answers on the management port only. Refusals are problem documents (RFC 9457) in Japanese or English by Accept-Language.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = Bearer,
                Description = "A session token (POST /api/v1/session), an API key, or for what devices call themselves the token of a device (POST /device/v1/token).",
            };
            document.Components.SecuritySchemes[Certificate] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.MutualTLS,
                Description = "The client certificate of a traffic sensor (POST /sensor/v1/enrol).",
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var marks = context.Description.ActionDescriptor.EndpointMetadata;
            var access = marks.OfType<RouteAccess>().LastOrDefault();
            if (access is { Anonymous: false } || (access is null && context.Description.RelativePath is { } path && path.StartsWith("device/v1/", StringComparison.Ordinal) && path != "device/v1/token"))
            {
                operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }];
            }

            if (context.Description.RelativePath is "sensor/v1/intervals" or "sensor/v1/certificate" or "sensor/v1/orders")
            {
                operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Certificate, context.Document)] = [] }];
            }

            operation.Responses ??= [];
            operation.Responses.TryAdd("default", new OpenApiResponse { Description = "A problem document that names the fault." });
            return Task.CompletedTask;
        });
    }
}
