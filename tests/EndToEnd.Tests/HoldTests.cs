using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>A stage that is held for a while under load. SEKISHO_HOLD_SECONDS sets how long (20 unless set; minutes in the long form).</summary>
public class HoldTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("detection")]
    [InlineData("response")]
    [InlineData("forwarding")]
    public async Task While_a_stage_is_held_nothing_is_lost_and_order_is_kept(string stage)
    {
        var hold = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("SEKISHO_HOLD_SECONDS") ?? "20", System.Globalization.CultureInfo.InvariantCulture));
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("hold", "car-mobility");
        var devices = new List<SimulatedDevice>();
        for (var i = 0; i < 8; i++)
        {
            devices.Add(await site.ConnectAsync("hold", $"HO-{i:D4}"));
        }

        using var fleet = new Fleet(devices);
        Assert.Equal(200, (await site.Admin.PostAsync($"/ops/v1/stages/{stage}/pause", null)).Status / 100 * 100);
        fleet.Start(TimeSpan.FromMilliseconds(2));
        await Task.Delay(hold, TimeProvider.System);
        var whileHeld = fleet.Total;
        Assert.Equal(200, (await site.Admin.PostAsync($"/ops/v1/stages/{stage}/resume", null)).Status / 100 * 100);
        await fleet.StopAsync();

        var ledger = await site.SettledLedgerAsync(TimeSpan.FromMinutes(2));
        output.WriteLine($"{stage} held for {hold}: {whileHeld} acknowledged meanwhile, {fleet.Total} in all; ledger {ledger.ToJsonString()}");
        Assert.True(whileHeld > 100, "hardly any load: the test says nothing");
        Conservation.Holds(fleet, site, ledger);
    }
}
