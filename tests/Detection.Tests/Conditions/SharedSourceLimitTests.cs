using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>Limits of "shared-source", and ways around it.</summary>
public class SharedSourceLimitTests
{
    private const string Other = "203.0.113.9";

    private static readonly string Shared = $"[{Lab.Condition("shared-source", "", "repeatAfter: \"00:30:00\"", scope: "field")}]";

    [Theory]
    [InlineData(60, 1)]
    [InlineData(60.001, 0)]
    public void The_third_device_is_found_within_the_window_and_not_beside_it(double third, int findings)
    {
        var lab = new Lab(Shared);
        lab.Run(Begin(4));
        lab.Run(Sent(10, Other, "d0"), Sent(20, Other, "d1"), Sent(10 + third, Other, "d2"));
        Assert.Equal(findings, lab.Findings.Count);
    }

    [Fact]
    public void Moves_of_another_day_do_not_hide_those_of_today()
    {
        var lab = new Lab(Shared);

        // Two other devices once had the addresses that d0 and d1 have now, and went where all are later.
        lab.Run(Sent(0, "198.51.100.5", "x"), Sent(0.1, "198.51.101.5", "y"), Sent(1, Other, "x"), Sent(2, Other, "y"));
        lab.Run(Begin(3, 1440));
        lab.Run(Sent(1450, Other, "d0"), Sent(1451, Other, "d1"), Sent(1452, Other, "d2"));
        Assert.Equal(3, Assert.Single(lab.Findings).Evidence.Measured);
    }

    [Fact]
    public void An_address_at_which_devices_were_once_is_no_uplink_a_month_later()
    {
        var lab = new Lab(Shared);
        lab.Run(Begin(4));
        lab.Run(Gather(10));
        lab.Run(Begin(4, 100));
        Assert.Single(lab.Findings);
        lab.Run(Gather(30 * 1440));
        Assert.Equal(2, lab.Findings.Count);
    }

    [Fact]
    public void An_address_at_which_devices_stayed_for_a_week_is_an_uplink_when_they_come_back()
    {
        var lab = new Lab(Shared);
        lab.Run(Begin(4));
        lab.Run(Gather(10));
        Assert.Single(lab.Findings);
        for (var hour = 1; hour < 8 * 24; hour++)
        {
            lab.Run(Gather(10 + (60 * hour)));
        }

        lab.Run(Begin(4, 9 * 1440));
        lab.Run(Gather((9 * 1440) + 300));
        Assert.Single(lab.Findings);
    }

    private static IEnumerable<GatewayEvent> Begin(int devices, double minute = 0) => Enumerable.Range(0, devices).Select(d => Sent(minute + (d / 10.0), $"198.51.{100 + d}.5", $"d{d}"));

    private static IEnumerable<GatewayEvent> Gather(double minute) => Enumerable.Range(0, 4).Select(d => Sent(minute + (d / 10.0), Other, $"d{d}"));

    private static MessageEvent Sent(double minute, string source, string device) => Lab.Message(Lab.Start.AddMinutes(minute), device, source: source);
}
