using System.Text.Json;
using Sekisho.Detection.Tests.Lanes;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>Cuts events into stretches at chance and restarts in between.</summary>
internal static class Restarts
{
    /// <summary>What is found, taken back and stored is that of one stretch without a restart, and something is found.</summary>
    public static void GiveTheSame(Func<Lab> make, IReadOnlyList<GatewayEvent> events, Random random)
    {
        var whole = make();
        whole.Run(events);
        Assert.NotEmpty(whole.Findings);
        var cut = make();
        for (var i = 0; i < events.Count;)
        {
            var length = random.Next(1, 400);
            cut.Run(events.Skip(i).Take(length));
            i += length;
            if (random.Next(2) == 0)
            {
                LaneTests.Restart(cut);
            }
        }

        Assert.Equal(whole.Findings.Select(f => JsonSerializer.Serialize(f)), cut.Findings.Select(f => JsonSerializer.Serialize(f)));
        Assert.Equal(whole.Results.SelectMany(r => r.Batch.Retractions), cut.Results.SelectMany(r => r.Batch.Retractions));
        Assert.Equal(whole.Results.SelectMany(r => r.Cleared), cut.Results.SelectMany(r => r.Cleared));
        Assert.Equal(LaneTests.States(whole), LaneTests.States(cut));
    }
}
