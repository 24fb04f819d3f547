using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class PriorTests
{
    private const string Learnt = "sides: high, alarms: 0.2";

    [Fact]
    public void Devices_that_have_grown_teach_a_newcomer_of_their_field_what_is_usual()
    {
        var lab = new Lab($"[{Lab.Condition("size", Learnt, "judge: learnt")}]");
        lab.Run(Grow(lab, devices: 4, days: 4));
        var priors = lab.Runner.Teach(7);
        Assert.Contains(priors, p => p.FieldId == "field" && p.Metric == "size" && p.Version == 7);
        Assert.All(priors.SelectMany(p => p.Numbers), n => Assert.True(double.IsFinite(n)));

        Assert.DoesNotContain(Told(lab, taught: null), f => f.DeviceId == "new");
        Assert.Equal("peer", Assert.Single(Told(lab, priors), f => f.DeviceId == "new").Evidence.Origin);
    }

    [Fact]
    public void What_is_known_already_is_not_taught_again()
    {
        var lab = new Lab($"[{Lab.Condition("size", Learnt, "judge: learnt")}]");
        lab.Run(Grow(lab, devices: 4, days: 4));
        var priors = lab.Runner.Teach(1);
        lab.Run(priors.Select(p => p with { ArrivedAt = lab.Now.AddSeconds(1) }).ToArray<GatewayEvent>());
        Assert.Empty(lab.Runner.Teach(2));
    }

    [Fact]
    public void Fewer_than_three_grown_devices_teach_nothing()
    {
        var lab = new Lab($"[{Lab.Condition("size", Learnt, "judge: learnt")}]");
        lab.Run(Grow(lab, devices: 2, days: 4));
        Assert.Empty(lab.Runner.Teach(1));
    }

    [Fact]
    public void A_value_beyond_the_percentile_of_the_fleet_is_found_once_ten_peers_are_known()
    {
        var lab = new Lab($"[{Lab.Condition("size", "sides: high, percentile: 99", "judge: peer")}]");
        lab.Run(Grow(lab, devices: 20, days: 1));
        lab.Run([Lab.Message(lab.Now.AddMinutes(1), "d1", size: 5000)]);
        Assert.Empty(lab.Findings);
        lab.Run(lab.Runner.Teach(1).Select(p => p with { ArrivedAt = lab.Now.AddSeconds(1) }).ToArray<GatewayEvent>());
        lab.Run([Lab.Message(lab.Now.AddMinutes(2), "d2", size: 110), Lab.Message(lab.Now.AddMinutes(3), "d2", size: 5000)]);
        Assert.Equal("d2", Assert.Single(lab.Findings).DeviceId);
    }

    [Fact]
    public void Volumes_of_an_hour_and_of_a_day_are_taught_apart()
    {
        var lab = new Lab($"[{Lab.Condition("volume", Learnt + ", period: \"01:00:00\", window: fixed", "judge: learnt", key: "hour")}, {Lab.Condition("volume", Learnt + ", period: \"1.00:00:00\", window: fixed", "judge: learnt", key: "day")}]");
        lab.Run(Lab.WithTicks(Grow(lab, devices: 4, days: 7), Lab.Start.AddDays(7)));
        Assert.Equal(["volume:fixed:3600"], lab.Runner.Teach(1).Select(p => p.Metric.Split('/')[0]).Distinct());
    }

    [Fact]
    public void Values_at_two_pointers_are_taught_apart()
    {
        var lab = new Lab($"[{Lab.Condition("value", Learnt + ", pointer: /room/heat", "judge: learnt", key: "heat")}, {Lab.Condition("value", Learnt + ", pointer: /room/wet", "judge: learnt", key: "wet")}]");
        var random = new Random(2);
        lab.Run(Grow(lab, devices: 4, days: 4).Cast<MessageEvent>().Select(m => (GatewayEvent)(m with { Payload = System.Text.Encoding.UTF8.GetBytes("{\"room\":{\"heat\":" + Number(20 + random.NextDouble()) + ",\"wet\":" + Number(50 + random.NextDouble()) + "}}") })).ToArray());
        var priors = lab.Runner.Teach(1);
        Assert.Equal(["value:.room.heat", "value:.room.wet"], priors.Select(p => p.Metric));
        lab.Run(priors.Select(p => p with { ArrivedAt = lab.Now.AddSeconds(1) }).ToArray<GatewayEvent>());
        Assert.Empty(lab.Runner.Teach(2));
    }

    [Fact]
    public void A_devices_thresholds_say_what_they_rest_on()
    {
        var lab = new Lab($"[{Lab.Condition("size", Learnt, "judge: learnt", key: "own")}, {Lab.Condition("size", "sides: high, alarms: 0.2, high: 400", "judge: learnt", key: "persons")}, {Lab.Condition("size", "bytes: 1000", key: "limit")}]");
        lab.Run(Grow(lab, devices: 1, days: 4));
        var thresholds = lab.Runner.ThresholdsOf("d0");
        Assert.Equal(["own learnt", "persons person"], thresholds.Select(t => $"{t.Condition.Definition.Key} {t.Band.Limits.Origin}"));
        var own = thresholds[0].Band.Limits;
        Assert.InRange(own.High!.Value, 119, 200);
        Assert.InRange(own.Values, 100, 10_000);
        Assert.True(own.Since > 0 && own.SetAt > own.Since);
        Assert.Equal(400, thresholds[1].Band.Limits.High);
        Assert.Empty(lab.Runner.ThresholdsOf("nobody"));
    }

    private static string Number(double value) => value.ToString("F2", System.Globalization.CultureInfo.InvariantCulture);

    private static IReadOnlyList<Sekisho.Domain.Detection.Finding> Told(Lab lab, IReadOnlyList<PriorEvent>? taught)
    {
        if (taught is not null)
        {
            lab.Run(taught.Select(p => p with { ArrivedAt = lab.Now.AddSeconds(1) }).ToArray<GatewayEvent>());
        }

        lab.Run([Lab.Message(lab.Now.AddMinutes(1), "new", size: 5000)]);
        return lab.Findings;
    }

    private static GatewayEvent[] Grow(Lab lab, int devices, int days)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, days * 96).SelectMany(slot => Enumerable.Range(0, devices).Select(d =>
            Lab.Message(Lab.Start.AddMinutes(15 * slot).AddSeconds(d), $"d{d}", size: 80 + random.Next(40))))];
    }
}
