using Sekisho.Response.Notification.Webhooks;

namespace Sekisho.Response.Actions.Ticket;

/// <summary>Where a field (or the gateway itself) opens tickets. Stored encrypted, replaced whole.</summary>
internal sealed record TicketDesk
{
    /// <summary>Null for the gateway itself.</summary>
    public required string? FieldId { get; init; }

    public required string Url { get; init; }

    /// <summary>Signs what is sent.</summary>
    public required string Secret { get; init; }

    /// <summary>"ja" or "en".</summary>
    public required string Language { get; init; }

    /// <summary>The request that opens a ticket, see <see cref="BodyTemplate"/>.</summary>
    public required string Template { get; init; }

    /// <summary>Where the answer has the ticket's number, a <see cref="JsonPointer"/>.</summary>
    public required string NumberAt { get; init; }

    /// <summary>Where the answer has its address; null for none.</summary>
    public string? LinkAt { get; init; }

    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>How a ticket is closed; null where people do that at the desk.</summary>
    public TicketClosing? Closing { get; init; }
}

/// <summary>The request that closes a ticket.</summary>
/// <param name="Method">POST, PUT or PATCH.</param>
/// <param name="Url">On the same host, with {{number}} in its path or query.</param>
/// <param name="Template">Its body, with the further places {{number}}, {{reason}} and {{actor}}.</param>
internal sealed record TicketClosing(string Method, string Url, string Template)
{
    public static readonly IReadOnlyList<string> Methods = ["POST", "PUT", "PATCH"];

    /// <summary>Places of the body beyond <see cref="BodyValues.Places"/>.</summary>
    public static readonly IReadOnlyList<string> Places = [.. BodyValues.Places, "number", "reason", "actor"];
}
