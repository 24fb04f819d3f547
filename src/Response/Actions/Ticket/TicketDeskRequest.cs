using System.Text.Json;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Notification;
using Sekisho.Response.Notification.Webhooks;

namespace Sekisho.Response.Actions.Ticket;

/// <summary>Where tickets are opened, as an administrator sends it.</summary>
internal sealed record TicketDeskRequest
{
    /// <summary>https address; http only on loopback.</summary>
    public string? Url { get; init; }

    /// <summary>"ja" or "en".</summary>
    public string? Language { get; init; }

    /// <summary>The request that opens a ticket: a JSON object with places in its texts, as JSON or as a text that holds it.</summary>
    public JsonElement? Template { get; init; }

    /// <summary>JSON pointer into the answer, such as "/id".</summary>
    public string? NumberAt { get; init; }

    /// <summary>JSON pointer into the answer; null for none.</summary>
    public string? LinkAt { get; init; }

    /// <summary>Further header fields; a value that is null is kept.</summary>
    public IReadOnlyDictionary<string, string?>? Headers { get; init; }

    /// <summary>How a ticket is closed; null where people do that at the desk.</summary>
    public TicketClosingRequest? Closing { get; init; }

    /// <summary>True to replace the secret.</summary>
    public bool NewSecret { get; init; }

    /// <summary>All that is wrong, and what it comes to when nothing is. Pure but for the secret.</summary>
    public (TicketDesk? Desk, IReadOnlyList<Fault> Faults) Read(string? fieldId, TicketDesk? before, Texts texts, string language)
    {
        var faults = new List<Fault>();
        void Wrong(string place, string key, string value = "") => faults.Add(new Fault(place, texts.Get(key, language, ("value", value))));

        if (!NotificationRequest.IsWebhook(Url ?? ""))
        {
            Wrong("/url", "response.fault.url");
        }

        if (!Texts.Languages.Contains(Language ?? ""))
        {
            Wrong("/language", "webhook.fault.one-of", string.Join(", ", Texts.Languages));
        }

        var template = ReadTemplate(Template, "/template", BodyValues.Places, Wrong);
        if (JsonPointer.Parse(NumberAt) is null)
        {
            Wrong("/numberAt", "ticket.fault.pointer");
        }

        if (LinkAt is not null && JsonPointer.Parse(LinkAt) is null)
        {
            Wrong("/linkAt", "ticket.fault.pointer");
        }

        var headers = HeaderFields.Read(Headers, before is null ? null : (before.Url, before.Headers), Url ?? "", (name, key, value) => Wrong("/headers/" + name, key, value));
        var closing = Closing is null ? null : ReadClosing(Closing, Wrong);
        return faults.Count > 0 ? (null, faults) : (new TicketDesk
        {
            FieldId = fieldId,
            Url = Url!,
            Secret = before is null || NewSecret ? Hook.NewSecret() : before.Secret,
            Language = Language!,
            Template = template,
            NumberAt = NumberAt!,
            LinkAt = LinkAt,
            Headers = headers,
            Closing = closing,
        }, []);
    }

    private static string ReadTemplate(JsonElement? template, string place, IReadOnlyCollection<string> places, Action<string, string, string> wrong)
    {
        var text = HookRequest.TextOf(template) ?? "";
        foreach (var (key, value) in BodyTemplate.Check(text, places))
        {
            wrong(place, key, value);
        }

        return text;
    }

    private TicketClosing ReadClosing(TicketClosingRequest closing, Action<string, string, string> wrong)
    {
        if (!TicketClosing.Methods.Contains(closing.Method ?? ""))
        {
            wrong("/closing/method", "webhook.fault.one-of", string.Join(", ", TicketClosing.Methods));
        }

        var url = closing.Url ?? "";
        var placesFit = true;
        foreach (var (key, value) in BodyTemplate.CheckText(url, ["number"]))
        {
            placesFit = false;
            wrong("/closing/url", key, value);
        }

        // The number fills a part of the path or query; whatever it is, the request goes to the host that opened the ticket.
        if (placesFit && !(With("1") is { } one && With("a.b@c:d") is { } other && NotificationRequest.IsWebhook(Url ?? "") && Same(one, new Uri(Url!)) && Same(other, new Uri(Url!))))
        {
            wrong("/closing/url", "ticket.fault.closing-url", "");
        }

        return new TicketClosing(closing.Method ?? "", url, ReadTemplate(closing.Template, "/closing/template", TicketClosing.Places, wrong));

        Uri? With(string number) => BodyTemplate.Fill(url, new Dictionary<string, string> { ["number"] = number }, v => v) is var filled && NotificationRequest.IsWebhook(filled) ? new Uri(filled) : null;

        static bool Same(Uri a, Uri b) => Uri.Compare(a, b, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
    }
}

/// <summary>How a ticket is closed.</summary>
/// <param name="Method">POST, PUT or PATCH.</param>
/// <param name="Url">On the same host; {{number}} may stand in its path and query.</param>
/// <param name="Template">Body with places, among them {{number}}, {{reason}} and {{actor}}.</param>
internal sealed record TicketClosingRequest(string? Method, string? Url, JsonElement? Template);
