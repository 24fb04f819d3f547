using System.Buffers.Text;
using System.Text.Json;
using Sekisho.Response.Leases;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Notification.OnCall;

/// <summary>What a link is good for.</summary>
/// <param name="Lease">The lease that people are called for, the first one of a call for many.</param>
/// <param name="Person">Who was told.</param>
/// <param name="Until">Until when, Unix milliseconds.</param>
/// <param name="Call">The key of the call, which may go on when the first one is settled; null in links from before calls had one.</param>
internal sealed record AcknowledgeTicket(string Lease, string Person, long Until, string? Call = null);

/// <summary>Makes and reads the links of on-call mails: a ticket sealed with a key of its own (AES-256-GCM), good for nothing else. Any thread.</summary>
internal sealed class AcknowledgeLinks(MasterKey key, OnCallSettings settings, TimeProvider clock) : IDisposable
{
    /// <summary>Route of the page.</summary>
    public const string Path = "/acknowledge";

    /// <summary>Characters of a token at most.</summary>
    public const int LongestToken = 1500;

    private const string Purpose = "response-acknowledge-link";
    private readonly ColumnCipher _cipher = new(key, Purpose);

    /// <summary>The link for a person; null when the gateway's public address is not set.</summary>
    public string? Of(Lease lease, string person) =>
        settings.PublicAddress.Length == 0 ? null : $"{settings.PublicAddress.TrimEnd('/')}{Path}?token={Token(new AcknowledgeTicket(lease.Id, person, (clock.GetUtcNow() + settings.LinkLasts).ToUnixTimeMilliseconds(), lease.GroupKey))}";

    public string Token(AcknowledgeTicket ticket) => Base64Url.EncodeToString(_cipher.Protect(JsonSerializer.Serialize(ticket), Purpose));

    /// <summary>The ticket, good or past its time; null when it was not made here.</summary>
    public AcknowledgeTicket? Read(string? token)
    {
        if (token is not { Length: > 0 and <= LongestToken } || !Base64Url.IsValid(token))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<AcknowledgeTicket>(_cipher.UnprotectText(Base64Url.DecodeFromChars(token), Purpose));
        }
        catch (StorageException)
        {
            // Not made here, or changed on the way: to the outside the same as no token at all.
            return null;
        }
    }

    public bool IsOver(AcknowledgeTicket ticket) => ticket.Until <= clock.GetUtcNow().ToUnixTimeMilliseconds();

    public void Dispose() => _cipher.Dispose();
}
