using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Sekisho.Operations.Accounts;

/// <summary>Verdict on a password.</summary>
internal enum PasswordVerdict
{
    /// <summary>It fits.</summary>
    Right,

    /// <summary>It fits, and its hash is cheaper than today's.</summary>
    RightButCheap,

    /// <summary>It does not fit, or there is no such account.</summary>
    Wrong,

    /// <summary>Too many are being checked; nothing was checked.</summary>
    Busy,
}

/// <summary>
/// Makes, checks and judges passwords. Hashing is dear on purpose, so that only a few run at once and a few more wait. Any thread.
/// </summary>
internal sealed class Passwords : IDisposable
{
    /// <summary>Fewest characters (NIST SP 800-63B asks for length, not for kinds of characters).</summary>
    public const int Shortest = 12;

    /// <summary>Most characters.</summary>
    public const int Longest = 256;

    private const int Waiting = 16;

    // PBKDF2 with HMAC-SHA-512, count after the OWASP password storage guide.
    private const int Iterations = 210_000;

    private readonly PasswordHasher<Account> _hasher;
    private readonly SemaphoreSlim _gate = new(2, 2); // guards the processor: hashing must not starve the devices
    private readonly string _nobody;
    private int _inside;

    public Passwords()
        : this(Iterations)
    {
    }

    /// <summary>With another cost; hashes made cheaper are still right and are made anew at the next sign-in.</summary>
    internal Passwords(int iterations)
    {
        _hasher = new PasswordHasher<Account>(Options.Create(new PasswordHasherOptions { IterationCount = iterations }));
        _nobody = _hasher.HashPassword(null!, Generate());
    }

    /// <summary>A one-time password: 20 characters (100 bits) in groups of 5, without letters that look alike.</summary>
    public static string Generate()
    {
        var text = RandomNumberGenerator.GetString("23456789ABCDEFGHJKLMNPQRSTUVWXYZ", 20);
        return $"{text[..5]}-{text[5..10]}-{text[10..15]}-{text[15..]}";
    }

    /// <summary>Key of the text that says why the password is not good enough; null when it is.</summary>
    public static string? Fault(string? password, string name)
    {
        if (password is null || password.Length < Shortest || password.Length > Longest)
        {
            return "operations.fault.password-length";
        }

        var plain = password.ToLowerInvariant();
        return plain.Replace(name.ToLowerInvariant(), "", StringComparison.Ordinal).Length < 4 ? "operations.fault.password-name"
            : CommonPasswords.Contains(plain) ? "operations.fault.password-common"
            : null;
    }

    public string Hash(string password) => _hasher.HashPassword(null!, Normal(password));

    /// <summary>Compares; the same work is done when there is no account.</summary>
    public async Task<PasswordVerdict> CheckAsync(Account? account, string password, CancellationToken cancellation)
    {
        try
        {
            if (Interlocked.Increment(ref _inside) > Waiting)
            {
                return PasswordVerdict.Busy;
            }

            await _gate.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                var sent = password.Length > Longest ? password[..Longest] : password;
                var result = _hasher.VerifyHashedPassword(null!, account?.PasswordHash ?? _nobody, Normal(sent));
                return account is null || account.Disabled || result == PasswordVerificationResult.Failed ? PasswordVerdict.Wrong
                    : result == PasswordVerificationResult.SuccessRehashNeeded ? PasswordVerdict.RightButCheap
                    : PasswordVerdict.Right;
            }
            finally
            {
                _gate.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

    public void Dispose() => _gate.Dispose();

    // The same characters typed on another keyboard may come in another form. Lone surrogates have no normal form and stay.
    private static string Normal(string password)
    {
        try
        {
            return password.Normalize(NormalizationForm.FormKC);
        }
        catch (ArgumentException)
        {
            return password;
        }
    }
}
