using System.Text;
using System.Text.Json;
using Sekisho.Detection.Tests.Lanes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>Messages whose content matters, and runs of them that restart in between.</summary>
internal static class Content
{
    /// <summary>A message with this JSON, taken and sent so many minutes after the start; sent later where that is said.</summary>
    public static MessageEvent At(double minutes, string json, double? sent = null, string transient = "", string device = "d1", int? sequence = null) =>
        Lab.Message(Lab.Start.AddMinutes(sent ?? minutes), device, Lab.Start.AddMinutes(minutes), sequence) with
        {
            Payload = Encoding.UTF8.GetBytes(json),
            Transient = Encoding.UTF8.GetBytes(transient),
        };

    /// <summary>The findings of the events, the same whether they run as one stretch or with a restart after every few.</summary>
    public static List<Finding> Findings(string condition, IEnumerable<GatewayEvent> events, int seed = 1)
    {
        var all = events.ToList();
        var whole = new Lab($"[{condition}]");
        whole.Run(all);
        var cut = new Lab($"[{condition}]");
        var random = new Random(seed);
        for (var i = 0; i < all.Count;)
        {
            var length = random.Next(1, Math.Max(2, all.Count / 20));
            cut.Run(all.Skip(i).Take(length));
            LaneTests.Restart(cut);
            i += length;
        }

        Assert.Equal(whole.Findings.Select(f => JsonSerializer.Serialize(f)), cut.Findings.Select(f => JsonSerializer.Serialize(f)));
        Assert.Equal(LaneTests.States(whole), LaneTests.States(cut));
        return whole.Findings;
    }
}
