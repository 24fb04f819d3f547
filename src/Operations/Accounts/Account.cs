namespace Sekisho.Operations.Accounts;

/// <summary>A person who may sign in. Immutable; a change replaces it whole.</summary>
/// <param name="Id">Never used again for another person.</param>
/// <param name="Name">Log-in name, unique whatever the case.</param>
/// <param name="PasswordHash">By the identity hasher of the shared framework, with its own salt and cost.</param>
/// <param name="Roles">What the person may be.</param>
/// <param name="Fields">Fields the person may see, or "*".</param>
/// <param name="Language">"ja" or "en".</param>
/// <param name="MustSetPassword">True while the password is the one the account was made with.</param>
/// <param name="Disabled">May not sign in.</param>
/// <param name="Epoch">Counts up when every session so far must end.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
internal sealed record Account(
    string Id,
    string Name,
    string PasswordHash,
    IReadOnlyList<string> Roles,
    IReadOnlyList<string> Fields,
    string Language,
    bool MustSetPassword,
    bool Disabled,
    long Epoch,
    DateTimeOffset CreatedAt)
{
    /// <summary>What two names are compared by.</summary>
    public string NameKey => KeyOf(Name);

    /// <summary>Key of a name as typed.</summary>
    public static string KeyOf(string name) => name.Trim().ToLowerInvariant();
}
