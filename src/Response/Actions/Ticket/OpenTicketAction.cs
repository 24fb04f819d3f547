using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Response.Actions.Webhook;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Notification.Webhooks;

namespace Sekisho.Response.Actions.Ticket;

/// <summary>
/// Opens a ticket at the field's desk; one for an incident, however many findings join it. Every try carries the same Idempotency-Key, so that a desk that honours it opens no second
/// ticket when the answer to the first was lost. The undo closes the ticket where the field says how; it never closes by the clock. Any thread; one at a time per field.
/// </summary>
internal sealed class OpenTicketAction(TicketStore store, LeaseStore leases, ReceiverClient receivers, BodyValues values, IFindings findings, TimeProvider clock) : IResponseAction
{
    public const int LongestNumber = 100;
    public const int LongestLink = 1_000;

    /// <summary>Responses of one incident that are looked through for its ticket.</summary>
    private const int MostSiblings = 50;

    private static readonly TimeSpan WaitForOther = TimeSpan.FromSeconds(15);

    public string Name => "open-ticket";

    public bool CanUndo => true;

    public bool Stays => true;

    public bool LocksOut => false;

    public bool Disturbs => false;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => ("ticket-desk", null);

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        if (await store.FindAsync(order.Lease.FieldId, cancellation) is not { } desk)
        {
            return [new PreviewLine("response.preview.ticket-no-desk")];
        }

        return await SharedAsync(order.Lease, order.Finding, cancellation) is { } ticket
            ? [new PreviewLine("response.preview.ticket-shared", ("number", ticket.Number))]
            : [new PreviewLine(desk.Closing is null ? "response.preview.ticket-stays" : "response.preview.ticket", ("host", new Uri(desk.Url).Authority))];
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (await store.FindAsync(lease.FieldId, cancellation) is not { } desk)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoTicketDesk);
        }

        if (await SharedAsync(lease, order.Finding, cancellation) is { } shared)
        {
            return new ActionOutcome.Done(Cause: LeaseCauses.TicketShared, Ticket: shared);
        }

        // The older one may have opened it without knowing yet: two at once would open two.
        if (order.Finding is { } finding && await store.IsOpeningAsync(lease.Id, finding.Id, lease.CreatedAt, cancellation))
        {
            return new ActionOutcome.Join("ticket " + lease.Id, clock.GetUtcNow() + WaitForOther);
        }

        var body = BodyTemplate.Fill(desk.Template, values.Of(lease, order.Finding, desk.Language));
        var answer = await receivers.SendAsync(new ReceiverRequest(HttpMethod.Post, desk.Url, desk.Secret, desk.Headers, lease.Id, body), readsAnswer: true, cancellation);
        return answer.IsForbidden ? new ActionOutcome.Refused(LeaseCauses.AddressNotAllowed)
            : !answer.IsSuccess ? new ActionOutcome.Retry(answer.Fault)
            // It may have opened one, or only shown a page to sign in at: asked again it could open another, so a person looks.
            : Read(answer.Body!) is not { } document ? new ActionOutcome.Refused(LeaseCauses.TicketAnswerUnreadable)
            : TicketIn(document, desk) is { } ticket ? new ActionOutcome.Done(Ticket: ticket)
            : new ActionOutcome.Done(Cause: LeaseCauses.TicketNumberUnknown);
    }

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        var desk = await store.FindAsync(lease.FieldId, cancellation);
        if (lease.Details.Ticket is not { } ticket || desk?.Closing is not { } closing)
        {
            return LeaseCauses.TicketStaysOpen;
        }

        if (lease.FindingId is { } findingId && await TicketOfAsync(lease.Id, findingId, t => t.Number == ticket.Number, cancellation) is not null)
        {
            return LeaseCauses.TicketStillShared;
        }

        var finding = lease.FindingId is { } id ? await findings.FindAsync(id, cancellation) : null;
        var filled = values.Of(lease, finding, desk.Language).ToDictionary(StringComparer.Ordinal);
        filled["number"] = ticket.Number;
        filled["reason"] = BodyValues.Line(lease.Details.Reason ?? "", BodyValues.LongestText);
        filled["actor"] = BodyValues.Line(lease.Details.Actor, BodyValues.LongestValue);
        var url = BodyTemplate.Fill(closing.Url, filled, Uri.EscapeDataString);
        var answer = await receivers.SendAsync(
            new ReceiverRequest(new HttpMethod(closing.Method), url, desk.Secret, desk.Headers, lease.Id + "-close", BodyTemplate.Fill(closing.Template, filled)), readsAnswer: false, cancellation);
        return answer.IsForbidden ? LeaseCauses.AddressNotAllowed
            : answer.Status is 404 or 410 ? LeaseCauses.TicketGone
            : answer.IsSuccess ? null
            : throw new TicketDeskException(answer.Fault);
    }

    /// <summary>A number that names something, and an address that a browser may open.</summary>
    public static LeaseTicket? TicketIn(JsonElement answer, TicketDesk desk)
    {
        var number = FindingSentence.OneLine(JsonPointer.Parse(desk.NumberAt)!.Text(answer) ?? "").Trim();
        var link = desk.LinkAt is null ? null : JsonPointer.Parse(desk.LinkAt)!.Text(answer);
        var opens = link is { Length: <= LongestLink } && !link.Any(char.IsControl) && Uri.TryCreate(link, UriKind.Absolute, out var address)
            && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp) && address.UserInfo.Length == 0;
        return number.Length is 0 or > LongestNumber || !number.Any(char.IsLetterOrDigit) ? null : new LeaseTicket(number, opens ? link : null);
    }

    private static JsonElement? Read(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<LeaseTicket?> SharedAsync(Lease lease, Finding? finding, CancellationToken cancellation) =>
        finding is null ? null : await TicketOfAsync(lease.Id, finding.Id, _ => true, cancellation);

    private async Task<LeaseTicket?> TicketOfAsync(string leaseId, string findingId, Func<LeaseTicket, bool> fits, CancellationToken cancellation)
    {
        foreach (var id in await store.OpenAsync(leaseId, findingId, MostSiblings, cancellation))
        {
            if ((await leases.FindAsync(id, cancellation))?.Details.Ticket is { } ticket && fits(ticket))
            {
                return ticket;
            }
        }

        return null;
    }
}

/// <summary>The desk did not close the ticket.</summary>
internal sealed class TicketDeskException(string message) : IOException(message);
