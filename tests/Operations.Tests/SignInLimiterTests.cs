using System.Net;
using Sekisho.Operations.SignIn;
using Sekisho.Tests.Support;

namespace Sekisho.Operations.Tests;

public class SignInLimiterTests
{
    private static readonly IPAddress Home = IPAddress.Parse("192.0.2.1");
    private readonly ManualClock _clock = new();
    private readonly SignInLimiter _limiter;

    public SignInLimiterTests() => _limiter = new SignInLimiter(_clock, TimeSpan.FromMinutes(5));

    [Fact]
    public void Attempts_at_once_count_before_any_of_them_ends() =>
        Assert.Equal(5, Enumerable.Range(0, 50).Count(_ => _limiter.Enter(Home, "hanako") is null));

    [Fact]
    public void The_delay_grows_to_its_limit_and_is_forgotten_after_a_quiet_hour()
    {
        var longest = TimeSpan.Zero;
        for (var i = 0; i < 30; i++)
        {
            if (_limiter.Enter(Home, "hanako") is { } wait)
            {
                longest = wait;
                _clock.Advance(wait);
            }
        }

        Assert.Equal(TimeSpan.FromMinutes(5), longest);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(_limiter.Enter(Home, "hanako"));
        Assert.Null(_limiter.Enter(Home, "hanako"));
    }

    [Fact]
    public void Guessers_from_many_addresses_are_slowed_down_on_the_name_and_the_person_is_not()
    {
        Assert.Null(_limiter.Enter(Home, "hanako"));
        _limiter.Succeeded(Home, "hanako");
        var entered = 0;
        for (var i = 0; i < 200; i++)
        {
            entered += _limiter.Enter(IPAddress.Parse($"198.51.100.{i}"), "hanako") is null ? 1 : 0;
        }

        Assert.Equal(5, entered);
        Assert.Null(_limiter.Enter(Home, "hanako"));
    }

    [Fact]
    public void Neighbours_in_one_ipv6_network_count_as_one_and_mapped_addresses_as_themselves()
    {
        for (var i = 1; i <= 5; i++)
        {
            Assert.Null(_limiter.Enter(IPAddress.Parse($"2001:db8::{i}"), name: null));
        }

        Assert.NotNull(_limiter.Enter(IPAddress.Parse("2001:db8::ffff"), name: null));
        Assert.Null(_limiter.Enter(IPAddress.Parse("2001:db8:0:1::1"), name: null));
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(_limiter.Enter(Home, name: null));
        }

        Assert.NotNull(_limiter.Enter(Home.MapToIPv6(), name: null));
    }

    [Fact]
    public void Signing_in_to_an_own_account_does_not_pay_for_guessing_at_others()
    {
        var refused = 0;
        for (var i = 0; i < 40; i++)
        {
            refused += _limiter.Enter(Home, "victim" + i) is null ? 0 : 1;
            if (_limiter.Enter(Home, "mallory") is null)
            {
                _limiter.Succeeded(Home, "mallory");
            }
        }

        Assert.True(refused > 30, $"{refused} of 40 were slowed down");
    }

    [Fact]
    public void A_flood_of_addresses_and_names_does_not_grow_without_end()
    {
        for (var i = 0; i < 60_000; i++)
        {
            _limiter.Enter(new IPAddress(i + 1), "name" + i);
        }

        Assert.InRange(_limiter.Size, 1, 20_002);
    }
}
