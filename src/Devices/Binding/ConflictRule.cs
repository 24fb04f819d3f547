namespace Sekisho.Devices.Binding;

/// <summary>How far a conflict of two senders has come.</summary>
internal enum ConflictStage
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>A newer sender asked while the incumbent had been alive shortly before: it may be the same device at a new address.</summary>
    Provisional,

    /// <summary>The incumbent was alive after the newer sender asked: there are two.</summary>
    Confirmed,

    /// <summary>A person turned the newer sender away.</summary>
    Refused,

    /// <summary>A person gave the identity to the newer sender, who has not fetched it yet.</summary>
    Accepted,
}

/// <summary>What the rule looks at.</summary>
internal readonly record struct Situation
{
    /// <summary>The sender shows a token of this device, so it is the incumbent whatever its address.</summary>
    public required bool ProvesIncumbent { get; init; }

    /// <summary>The sender's address is where the incumbent's token was last used.</summary>
    public required bool FromIncumbentsSource { get; init; }

    /// <summary>The present token has not run out.</summary>
    public required bool TokenUnexpired { get; init; }

    /// <summary>The incumbent was alive within the window.</summary>
    public required bool IncumbentAlive { get; init; }

    public required ConflictStage Stage { get; init; }

    /// <summary>The sender's address is that of the newer sender who waits.</summary>
    public required bool FromWaitingSource { get; init; }

    /// <summary>The incumbent was alive since the newer sender asked, from elsewhere than the newer sender.</summary>
    public required bool IncumbentSeenSince { get; init; }
}

/// <summary>What becomes of a renewal.</summary>
internal enum Ruling
{
    /// <summary>It gets a token; a conflict, if any, is over.</summary>
    Grant,

    /// <summary>The incumbent renews while a newer sender waits: it gets a token, the newer goes on waiting, and both were alive.</summary>
    GrantIncumbent,

    /// <summary>The newer sender waits.</summary>
    Wait,

    /// <summary>The newer sender waits, and it is certain that there are two.</summary>
    Confirm,

    /// <summary>The sender was turned away by a person.</summary>
    Refuse,
}

/// <summary>
/// Who gets the token when the three elements are right. Pure. The incumbent is never put out by a newer sender while it is alive; a device
/// that rebooted, lost its token or moved gets a new one without an operator. Source: design, decision 11; field reports of forged
/// identities that lock out real devices, and of devices that no longer get in after a reset.
/// </summary>
internal static class ConflictRule
{
    public static Ruling Judge(in Situation s)
    {
        var conflict = s.Stage is ConflictStage.Provisional or ConflictStage.Confirmed;
        if (s.Stage == ConflictStage.Accepted)
        {
            // The decision stands against everybody: the old token is gone, and its holder is the one who was put out.
            return s.FromWaitingSource ? Ruling.Grant : Ruling.Wait;
        }

        if (s.ProvesIncumbent || (s.FromIncumbentsSource && !(s.Stage != ConflictStage.None && s.FromWaitingSource && s.IncumbentSeenSince)))
        {
            // Where the newer sender is also the last one that used the token, both are one device that moved.
            return conflict && !s.FromWaitingSource ? Ruling.GrantIncumbent : Ruling.Grant;
        }

        return s.Stage switch
        {
            ConflictStage.Refused when s.FromWaitingSource => Ruling.Refuse,
            ConflictStage.Confirmed => s.IncumbentAlive || s.TokenUnexpired ? Ruling.Wait : Ruling.Grant,
            ConflictStage.Provisional when s.IncumbentSeenSince => Ruling.Confirm,
            ConflictStage.Provisional => s.IncumbentAlive ? Ruling.Wait : Ruling.Grant,
            _ => s.TokenUnexpired && s.IncumbentAlive ? Ruling.Wait : Ruling.Grant,
        };
    }
}
