using System.Security.Cryptography;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations.Accounts;

/// <summary>
/// The way in while nobody can sign in: a one-time code that the host shows on its console and that opens POST /api/v1/setup. A new one is
/// made at each start until the first account exists; it is never stored and never logged. Any thread.
/// </summary>
public sealed class FirstStart
{
    private readonly AccountBook _accounts;
    private readonly AccountSettings _settings;
    private readonly TimeProvider _clock;
    private readonly KeyedHash _hash;
    private volatile Code? _code;

    internal FirstStart(AccountBook accounts, AccountSettings settings, MasterKey key, TimeProvider clock)
    {
        (_accounts, _settings, _clock) = (accounts, settings, clock);
        _hash = new KeyedHash(key, "setup-code");
    }

    /// <summary>The code to show, 20 characters in groups of 5; null once an account exists or the code ran out.</summary>
    public string? SetupCode => _code is { } code && _clock.GetUtcNow() < code.Until && _accounts.IsEmpty ? code.Shown : null;

    /// <summary>Makes the code when there is no account.</summary>
    internal void Open()
    {
        if (!_accounts.IsEmpty)
        {
            return;
        }

        var shown = Passwords.Generate();
        _code = new Code(shown, _hash.Of(Normal(shown)), _clock.GetUtcNow() + _settings.SetupCodeLife);
    }

    /// <summary>True when the code is the one shown and has not run out. Hyphens, blanks and case do not matter.</summary>
    internal bool Fits(string? sent) =>
        _code is { } code && _clock.GetUtcNow() < code.Until && sent is { Length: < 100 }
        && CryptographicOperations.FixedTimeEquals(code.Hash, _hash.Of(Normal(sent)));

    /// <summary>The code has done its work.</summary>
    internal void Close() => _code = null;

    private static string Normal(string code) => code.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();

    private sealed record Code(string Shown, byte[] Hash, DateTimeOffset Until);
}
