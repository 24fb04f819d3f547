using System.Text.Json;

namespace Sekisho.Response.Notification.Webhooks;

/// <summary>A file of Notification/Webhooks/Templates.</summary>
/// <param name="Name">Stable name; its title is the text webhook.template.NAME.</param>
/// <param name="Url">How the address of that service looks.</param>
/// <param name="Headers">Header fields that it needs.</param>
/// <param name="Source">Where the service publishes what a message must have.</param>
/// <param name="Template">The body.</param>
internal sealed record ShippedTemplate(string Name, string Url, IReadOnlyList<string> Headers, string Source, JsonElement Template)
{
    /// <summary>All of them, by name.</summary>
    public static readonly IReadOnlyList<ShippedTemplate> All = Read();

    private static IReadOnlyList<ShippedTemplate> Read()
    {
        var assembly = typeof(ShippedTemplate).Assembly;
        return
        [
            .. assembly.GetManifestResourceNames().Where(n => n.StartsWith("WebhookTemplates/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name =>
            {
                using var stream = assembly.GetManifestResourceStream(name)!;
                return JsonSerializer.Deserialize<ShippedTemplate>(stream, JsonSerializerOptions.Web)!;
            }),
        ];
    }
}
