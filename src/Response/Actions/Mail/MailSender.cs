using System.Net;
using System.Net.Mail;
using System.Net.Mime;
using System.Text;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.Mail;

/// <summary>Hands one mail to the server. Any thread; a connection per mail.</summary>
internal sealed class MailSender(MailSettings settings)
{
    /// <summary>Single mails to one list in one hour.</summary>
    public int MostPerHour => settings.MostPerHour;

    public int MostAtOnce => settings.MostAtOnce;

    /// <summary>Why nothing can be sent as things are set; null when it can.</summary>
    public string? Obstacle =>
        settings.Host.Length == 0 ? LeaseCauses.NoMailServer
        : settings.User.Length > 0 && !settings.UseStartTls && !IsLoopback(settings.Host) ? LeaseCauses.PasswordInClear
        : null;

    /// <summary>Sends to all of the recipients in one transaction with the server.</summary>
    /// <param name="leaseId">Gives the Message-ID, the same at each try, so that mail programs show a repeat once.</param>
    /// <param name="correlationId">Goes into a header.</param>
    /// <param name="content">Subject and bodies.</param>
    /// <param name="recipients">Plain, checked addresses.</param>
    /// <param name="cancellation">Breaks the connection off.</param>
    /// <returns>Recipients that the server refused; the others have the mail.</returns>
    /// <exception cref="SmtpException">The server did not take it at all.</exception>
    public async Task<RefusedRecipients> SendAsync(
        string leaseId, string correlationId, MailContent content, IReadOnlyList<string> recipients, CancellationToken cancellation)
    {
        using var message = new MailMessage
        {
            From = new MailAddress(settings.From),
            Subject = content.Subject,
            SubjectEncoding = Encoding.UTF8,
        };
        foreach (var recipient in recipients)
        {
            message.To.Add(new MailAddress(recipient));
        }

        message.Headers.Add("Message-ID", $"<{leaseId}@{message.From.Host}>");
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Headers.Add("Sekisho-Delivery", leaseId);
        if (correlationId.Length > 0)
        {
            // What only the clock brought about, such as silence, has none.
            message.Headers.Add("Sekisho-Correlation-Id", correlationId);
        }

        message.AlternateViews.Add(AlternateView.CreateAlternateViewFromString(content.Text, Encoding.UTF8, MediaTypeNames.Text.Plain));
        message.AlternateViews.Add(AlternateView.CreateAlternateViewFromString(content.Html, Encoding.UTF8, MediaTypeNames.Text.Html));
        using var client = new SmtpClient(settings.Host, settings.Port)
        {
            EnableSsl = settings.UseStartTls,
            UseDefaultCredentials = false,
            Credentials = settings.User.Length > 0 ? new NetworkCredential(settings.User, settings.PasswordSecret) : null,
        };
        try
        {
            await client.SendMailAsync(message, cancellation);
            return new RefusedRecipients([], []);
        }
        catch (SmtpFailedRecipientException e)
        {
            var refused = (e is SmtpFailedRecipientsException several ? several.InnerExceptions : [e]).ToLookup(IsForNow, r => Plain(r.FailedRecipient));
            return new RefusedRecipients([.. refused[false]], [.. refused[true]]);
        }
        catch (SmtpException e) when (e.StatusCode == SmtpStatusCode.TransactionFailed && recipients.Count == 1)
        {
            // "No relaying", "no valid recipients": what is refused with 554 is the one recipient.
            return new RefusedRecipients(recipients, []);
        }
    }

    /// <summary>What a lease's mail is known by: one that speaks for a group is another mail than the lease's own.</summary>
    public static string IdOf(Lease lease) => lease.GroupKey is { } group ? $"{lease.Id}.{Lease.IdOf(group, "", "")}" : lease.Id;

    /// <summary>The server's own words may contain addresses; the status and the kind of fault beneath say enough.</summary>
    public static string Says(SmtpException fault) => $"The mail server did not take the mail ({fault.StatusCode}{(fault.InnerException is { } inner ? ", " + inner.GetType().Name : "")}).";

    // RFC 5321, 4.2.1: 4yz may be tried again, 5yz not.
    private static bool IsForNow(SmtpException fault) => (int)fault.StatusCode is >= 400 and < 500;

    private static string Plain(string? recipient) => (recipient ?? "").Trim('<', '>');

    private static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}

/// <summary>Who did not get a mail; the others have it.</summary>
/// <param name="ForGood">Addresses that the server does not take.</param>
/// <param name="ForNow">Addresses that it may take later.</param>
internal sealed record RefusedRecipients(IReadOnlyList<string> ForGood, IReadOnlyList<string> ForNow)
{
    public IReadOnlyList<string> All => [.. ForGood, .. ForNow];

    /// <summary>How many, for people; no addresses.</summary>
    public string Says(int of) => $"Of {of} recipients the mail server refused {ForGood.Count} for good and {ForNow.Count} for now.";
}
