using Sekisho.Devices.Credentials;
using Sekisho.Devices.Tokens;

namespace Sekisho.Devices.Binding;

/// <summary>
/// Limits on attempts to authenticate. Only failures are charged to an address and to an identity, so a forger empties the forger's own
/// budget: the right three elements are never refused for them, wherever the forger sits, even behind the same address. Attempts with the
/// right elements have a budget per device. Any thread.
/// <para>
/// The tables have a fixed size: keys that fall on one place share a budget. For failures that costs no device anything, and nobody can aim:
/// the places come from hashes under keys of this process and this gateway.
/// </para>
/// </summary>
internal sealed class AttemptLimits(AttemptSettings settings, TimeProvider clock)
{
    private const int Places = 1 << 16;

    private readonly long[] _sources = new long[Places];
    private readonly long[] _identities = new long[Places];

    /// <summary>Charges a failed attempt.</summary>
    /// <returns>Zero while within the limits, else how long to wait.</returns>
    public TimeSpan Failed(string source, HashKey identity)
    {
        var now = clock.GetUtcNow();
        var place = string.GetHashCode(Sources.Network(source), StringComparison.Ordinal) & (Places - 1);
        var wait = Bucket.Take(ref _sources[place], now, settings.FailuresPerSourcePerMinute);
        return wait > TimeSpan.Zero ? wait : Bucket.Take(ref _identities[identity.GetHashCode() & (Places - 1)], now, settings.FailuresPerIdentityPerMinute);
    }

    /// <summary>Charges an attempt with the right three elements.</summary>
    public TimeSpan Succeeded(TokenHolder device, string source) => device.TakeIssue(clock.GetUtcNow(), source, settings.TokensPerDevicePerMinute);
}
