namespace Sekisho.Operations.Keys;

/// <summary>A credential for programs. Immutable.</summary>
/// <param name="Name">Unique whatever the case.</param>
/// <param name="KeyHash">Keyed hash of the key itself, which is shown once and kept nowhere.</param>
/// <param name="MakerId">Account that made it: the key never holds more than that account does now, and ends with it.</param>
/// <param name="Roles">Roles.</param>
/// <param name="Fields">Fields, or "*".</param>
/// <param name="Scopes">"subject:read" and "subject:write".</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="ExpiresAt">When it runs out (UTC).</param>
internal sealed record ApiKey(
    string Name,
    byte[] KeyHash,
    string MakerId,
    IReadOnlyList<string> Roles,
    IReadOnlyList<string> Fields,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt);
