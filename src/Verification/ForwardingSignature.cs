using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sekisho.Verification;

/// <summary>
/// Checks the header Sekisho-Signature as a customer's cloud does: "t=UNIX,v1=HEX", where HEX is the HMAC-SHA256 of "UNIX." and the body under
/// the shared secret. Other parts of the header are skipped, so that a later version can stand beside this one.
/// </summary>
public static class ForwardingSignature
{
    /// <summary>True when the signature is good and not older or newer than the tolerance.</summary>
    public static bool IsGood(string? header, ReadOnlySpan<byte> body, string secret, DateTimeOffset now, TimeSpan tolerance)
    {
        string? time = null, signature = null;
        foreach (var part in (header ?? "").Split(','))
        {
            var pair = part.Split('=', 2);
            (time, signature) = (pair[0].Trim(), pair.Length) switch
            {
                ("t", 2) => (pair[1].Trim(), signature),
                ("v1", 2) => (time, pair[1].Trim()),
                _ => (time, signature),
            };
        }

        if (signature is null || !long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || Math.Abs(now.ToUnixTimeSeconds() - (double)seconds) > tolerance.TotalSeconds)
        {
            return false;
        }

        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature.ToLowerInvariant()), Encoding.ASCII.GetBytes(Of(seconds, body, secret)));
    }

    /// <summary>The hexadecimal signature of a body at a time.</summary>
    public static string Of(long unixSeconds, ReadOnlySpan<byte> body, string secret)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.ASCII.GetBytes(unixSeconds.ToString(CultureInfo.InvariantCulture) + "."));
        hmac.AppendData(body);
        return Convert.ToHexStringLower(hmac.GetHashAndReset());
    }
}
