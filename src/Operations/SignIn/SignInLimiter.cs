using System.Net;
using System.Net.Sockets;

namespace Sekisho.Operations.SignIn;

/// <summary>
/// Slows guessing down: after five failures the next attempt must wait 1 s, then 2 s, 4 s … up to a limit, per address and per name.
/// An attempt counts as failed when it enters, so that many at once gain nothing. An address that signed in to a name before is judged
/// apart from the strangers who try that name, so that guessers never keep the person out. Any thread; memory only; bounded.
/// </summary>
internal sealed class SignInLimiter(TimeProvider clock, TimeSpan longest)
{
    private const int Free = 5;
    private const int Most = 20_000;
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);
    private static readonly TimeSpan TrustFor = TimeSpan.FromDays(30);
    private readonly Lock _turn = new(); // guards both tables
    private readonly Dictionary<string, Attempts> _attempts = [];
    private readonly Dictionary<string, DateTimeOffset> _trusted = [];

    /// <summary>Addresses and names that are remembered.</summary>
    public int Size
    {
        get
        {
            lock (_turn)
            {
                return _attempts.Count;
            }
        }
    }

    /// <summary>Asks to try. Null: go on (and call <see cref="Succeeded"/> when it was right). Else: how long to wait.</summary>
    /// <param name="address">Who asks.</param>
    /// <param name="name">Name tried, whether it exists or not; null when only the address counts.</param>
    public TimeSpan? Enter(IPAddress? address, string? name)
    {
        var source = SourceOf(address);
        lock (_turn)
        {
            var now = clock.GetUtcNow();
            var second = name is null ? null : NameSlot(source, name, now);
            var wait = Max(Wait("a " + source, now), second is null ? TimeSpan.Zero : Wait(second, now));
            if (wait > TimeSpan.Zero)
            {
                return wait;
            }

            Count("a " + source, now);
            if (second is not null)
            {
                Count(second, now);
            }

            return null;
        }
    }

    /// <summary>The attempt that entered was right: forget its failures.</summary>
    public void Succeeded(IPAddress? address, string? name)
    {
        var source = SourceOf(address);
        lock (_turn)
        {
            var now = clock.GetUtcNow();
            if (name is not null)
            {
                _attempts.Remove(NameSlot(source, name, now));
                Shrink(_trusted, t => t, now);
                _trusted[Pair(source, name)] = now + TrustFor;
            }

            // Only the one attempt is taken back: an own account must not pay for guessing at others.
            var slot = "a " + source;
            if (_attempts.TryGetValue(slot, out var attempts))
            {
                _attempts[slot] = attempts with { Failures = Math.Max(0, attempts.Failures - 1), Next = attempts.Before };
            }
        }
    }

    private static string SourceOf(IPAddress? address)
    {
        if (address is null)
        {
            return "unknown";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        // Whoever has one IPv6 address has the /64 around it.
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString();
    }

    private static string Pair(string source, string name) => source + " " + name;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private string NameSlot(string source, string name, DateTimeOffset now) =>
        _trusted.TryGetValue(Pair(source, name), out var until) && until > now ? "p " + Pair(source, name) : "n " + name;

    private TimeSpan Wait(string slot, DateTimeOffset now) =>
        _attempts.TryGetValue(slot, out var attempts) && attempts.Next > now ? attempts.Next - now : TimeSpan.Zero;

    private void Count(string slot, DateTimeOffset now)
    {
        var before = _attempts.TryGetValue(slot, out var known) && now - known.Last < Memory ? known : new Attempts(0, now, now, now);
        var failures = before.Failures + 1;
        var delay = failures < Free ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Pow(2, Math.Min(failures - Free, 20)));
        Shrink(_attempts, a => a.Last + Memory, now);
        _attempts[slot] = new Attempts(failures, now, now + (delay < longest ? delay : longest), before.Next);
    }

    // Full of living entries, the ones that end soonest go: a flood of addresses may forget itself but not grow.
    private static void Shrink<T>(Dictionary<string, T> table, Func<T, DateTimeOffset> ends, DateTimeOffset now)
    {
        if (table.Count < Most)
        {
            return;
        }

        foreach (var (key, _) in table.Where(e => ends(e.Value) <= now).ToArray())
        {
            table.Remove(key);
        }

        foreach (var (key, _) in table.OrderBy(e => ends(e.Value)).Take(table.Count - (Most * 9 / 10)).ToArray())
        {
            table.Remove(key);
        }
    }

    private readonly record struct Attempts(int Failures, DateTimeOffset Last, DateTimeOffset Next, DateTimeOffset Before);
}
