using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Actions.Mail;

/// <summary>Settings "Response:Mail": the server that takes notifications.</summary>
public sealed class MailSettings
{
    /// <summary>Name or address of the server; empty for none, then mails are shown as refused.</summary>
    [RegularExpression(@"[A-Za-z0-9.:\-\[\]]{0,253}", ErrorMessage = "Give a host name or an address.")]
    public string Host { get; set; } = "";

    /// <summary>Its port. Implicit TLS (465) is not spoken.</summary>
    [Range(1, 65535, ErrorMessage = "Give 1 to 65535.")]
    public int Port { get; set; } = 587;

    /// <summary>Insists on STARTTLS: a server that does not offer it gets nothing.</summary>
    public bool UseStartTls { get; set; } = true;

    /// <summary>Account at the server; empty for none.</summary>
    public string User { get; set; } = "";

    /// <summary>Password of that account.</summary>
    public string PasswordSecret { get; set; } = "";

    /// <summary>Sender's address.</summary>
    [RegularExpression(@"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\-]{1,64}@[A-Za-z0-9.\-]{1,189}", ErrorMessage = "Give a plain address such as sekisho@example.jp.")]
    public string From { get; set; } = "sekisho@localhost";

    /// <summary>Mails to one list of recipients in one hour; what is more goes into one summary at the end of the hour.</summary>
    [Range(1, 3600, ErrorMessage = "Give 1 to 3600.")]
    public int MostPerHour { get; set; } = 60;

    /// <summary>Mails of one list that wait at the same time and are still sent one by one; more are joined into one summary a minute later.</summary>
    [Range(1, 1000, ErrorMessage = "Give 1 to 1000.")]
    public int MostAtOnce { get; set; } = 5;
}
