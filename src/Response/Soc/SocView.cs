using Sekisho.Domain.Localization;
using Sekisho.Response.Soc.Receivers;
using Sekisho.Response.Soc.Sending;

namespace Sekisho.Response.Soc;

/// <summary>A receiver as people and programs see it; its key is not among it.</summary>
internal sealed record SocReceiverView
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    public required bool Enabled { get; init; }

    public required bool Tls { get; init; }

    public string? TrustAnchors { get; init; }

    public string? ServerName { get; init; }

    public string? ClientCertificate { get; init; }

    public required bool HasClientKey { get; init; }

    public required string Format { get; init; }

    public required string Language { get; init; }

    public required bool ByteOrderMark { get; init; }

    public required SocFilter Include { get; init; }

    public required SocFilter Exclude { get; init; }

    /// <summary>Marks of properties that may leave.</summary>
    public required IReadOnlyList<string> Allowed { get; init; }

    /// <summary>Every mark with its meaning in the reader's language.</summary>
    public required IReadOnlyList<NamedText> Marks { get; init; }

    public string? ReportsAs { get; init; }

    public required string MostAge { get; init; }

    public required long MostRecords { get; init; }

    public required SocStatusView Sending { get; init; }

    public static SocReceiverView Of(SocReceiver receiver, SocProgress progress, long waiting, SocState? state, DateTimeOffset now, Texts texts, string language) => new()
    {
        Id = receiver.Id,
        Name = receiver.Name,
        Host = receiver.Host,
        Port = receiver.Port,
        Enabled = receiver.Enabled,
        Tls = receiver.Tls,
        TrustAnchors = receiver.TrustAnchors,
        ServerName = receiver.ServerName,
        ClientCertificate = receiver.ClientCertificate,
        HasClientKey = receiver.ClientKey is not null,
        Format = receiver.Format,
        Language = receiver.Language,
        ByteOrderMark = receiver.ByteOrderMark,
        Include = receiver.Include,
        Exclude = receiver.Exclude,
        Allowed = receiver.Allowed,
        Marks = [.. PrivacyMarks.All.Select(m => new NamedText(m, texts.Get("soc.mark." + m, language)))],
        ReportsAs = receiver.ReportsAs,
        MostAge = receiver.MostAge.ToString(),
        MostRecords = receiver.MostRecords,
        Sending = new SocStatusView(
            state?.Connected ?? false,
            progress.Position,
            progress.Sent,
            progress.Skipped,
            waiting,
            waiting > 0 && state?.OldestWaiting is { } oldest && now > oldest ? (long)(now - oldest).TotalSeconds : 0,
            state?.LastSent,
            state?.Fault,
            state?.Fault is { } fault ? texts.Get("soc.cause." + fault, language) : null,
            state?.FaultAt),
    };
}

/// <summary>How the sending to a receiver stands.</summary>
/// <param name="Connected">It is connected to this node.</param>
/// <param name="Position">Position in the history up to which it has everything.</param>
/// <param name="Sent">Events that it took, repeats included.</param>
/// <param name="Skipped">Records that were given up because it was away for too long.</param>
/// <param name="Waiting">Records of its kinds that it has not taken (its other filters are not looked at).</param>
/// <param name="LagSeconds">Age of the oldest of them; 0 also as long as it is not found among very many records of others.</param>
/// <param name="LastSent">When it last took something.</param>
/// <param name="Fault">Why the last connection failed, a stable name; null when none did.</param>
/// <param name="FaultText">The same in the reader's language.</param>
/// <param name="FaultAt">When.</param>
internal sealed record SocStatusView(
    bool Connected, long Position, long Sent, long Skipped, long Waiting, long LagSeconds, DateTimeOffset? LastSent, string? Fault, string? FaultText, DateTimeOffset? FaultAt);

/// <summary>A stable name and what it means.</summary>
internal sealed record NamedText(string Name, string Text);

/// <summary>What a test event came to.</summary>
/// <param name="EventId">To look for at the receiver.</param>
/// <param name="Taken">Its system took it.</param>
internal sealed record SocTestView(string EventId, bool Taken);

/// <summary>What a field says of itself to SOCs.</summary>
/// <param name="Sector">Its sector; null for none.</param>
/// <param name="SectorText">The same in the reader's language.</param>
/// <param name="Shared">Receivers of the gateway may have its records.</param>
/// <param name="Sectors">The fourteen sectors.</param>
internal sealed record SocFieldView(string? Sector, string? SectorText, bool Shared, IReadOnlyList<NamedText> Sectors)
{
    public static SocFieldView Of(SocField? field, Texts texts, string language)
    {
        var sector = string.IsNullOrEmpty(field?.Sector) ? null : field.Sector;
        return new SocFieldView(
            sector,
            sector is null ? null : texts.Get("soc.sector." + sector, language),
            field?.Shared ?? false,
            [.. Receivers.Sectors.All.Select(s => new NamedText(s, texts.Get("soc.sector." + s, language)))]);
    }
}
