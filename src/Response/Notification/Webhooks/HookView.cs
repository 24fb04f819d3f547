using System.Text.Json;

namespace Sekisho.Response.Notification.Webhooks;

/// <summary>A named webhook as people see it.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="Name">Its name.</param>
/// <param name="Url">Its address; only the host for those who may not change it.</param>
/// <param name="Language">"ja" or "en".</param>
/// <param name="Include">What it is told of.</param>
/// <param name="Exclude">What it is not told of.</param>
/// <param name="Template">Its body; null for the gateway's own.</param>
/// <param name="Headers">Names of the further header fields; values are never returned.</param>
/// <param name="Secret">For checking signatures; present only in the answer to the change that made it.</param>
internal sealed record HookView(
    string Id, string Name, string Url, string Language, HookFilter Include, HookFilter Exclude, JsonElement? Template, IReadOnlyList<string> Headers, string? Secret)
{
    public static HookView Of(Hook hook, bool masked, bool showSecret = false) => new(
        hook.Id,
        hook.Name,
        masked ? NotificationView.MaskUrl(hook.Url) : hook.Url,
        hook.Language,
        hook.Include,
        hook.Exclude,
        hook.Template is null ? null : JsonElement.Parse(hook.Template),
        [.. hook.Headers.Keys.Order(StringComparer.Ordinal)],
        showSecret ? hook.Secret : null);
}

/// <summary>A body that the product brings along for a service.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="Title">What it is for.</param>
/// <param name="Url">How the address of that service looks.</param>
/// <param name="Headers">Header fields that it needs.</param>
/// <param name="Template">The body, to be sent as the template of a webhook.</param>
internal sealed record HookTemplateView(string Name, string Title, string Url, IReadOnlyList<string> Headers, JsonElement Template);
