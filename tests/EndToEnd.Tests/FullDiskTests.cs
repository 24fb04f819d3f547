using Sekisho.Tests.Support;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>The disk of the data folder fills up under load: journal, state and history all stand on it.</summary>
public class FullDiskTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public async Task On_a_full_disk_devices_are_told_to_wait_and_with_room_again_nothing_acknowledged_is_missing(int minFreeMiB)
    {
        await using var disk = await SmallDisk.MountAsync(mib: 96);
        await using var site = await Site.StartInAsync(disk.Folder, $"Distribution:Journal:MinFreeMiB={minFreeMiB}");
        await site.AddFieldAsync("full", "car-mobility");
        var devices = new List<SimulatedDevice>();
        for (var i = 0; i < 4; i++)
        {
            devices.Add(await site.ConnectAsync("full", $"FU-{i:D4}"));
        }

        using var probe = await site.ConnectAsync("full", "FU-PROBE");
        using var fleet = new Fleet(devices);
        fleet.Start(TimeSpan.FromMilliseconds(2));
        await Site.UntilAsync(() => Task.FromResult(fleet.Total), n => n > 100, TimeSpan.FromSeconds(20), "no load");
        disk.FillBut(left: 256 * 1024);

        // Without a sequence, so that what is taken of the probe is no business of the ledger of the fleet.
        var refused = await Site.UntilAsync(
            () => probe.SendAsync("{\"note\":\"" + new string('x', 100_000) + "\"}"), a => a.Status != 202, TimeSpan.FromSeconds(60), "the disk is not full");
        Assert.Equal(503, refused.Status);
        Assert.NotNull(refused.RetryAfter);

        // Small messages may still find room for a while.
        await Site.UntilAsync(async () => (await site.Admin.GetAsync("/health/ready")).Status, status => status == 503, TimeSpan.FromSeconds(60), "it does not say that its disk is full");
        Assert.False(site.Gateway.HasEnded, site.Gateway.Output);

        disk.Empty();
        var before = fleet.Total;
        await Site.UntilAsync(() => Task.FromResult(fleet.Total), n => n > before + 100, TimeSpan.FromSeconds(60), "it does not go on by itself");
        await fleet.StopAsync();
        var ledger = await site.SettledLedgerAsync(TimeSpan.FromMinutes(2));
        output.WriteLine($"{fleet.Total} acknowledged, {before} before there was room again; ledger {ledger.ToJsonString()}");
        Assert.Equal(0, ledger["residue"]!.GetValue<long>());
        foreach (var (device, acknowledged) in fleet.Acknowledged)
        {
            var got = site.Cloud.Distinct().Where(m => m.Payload.Contains($"\"{device}\"", StringComparison.Ordinal)).Select(m => int.Parse(m.Sequence!, System.Globalization.CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(acknowledged, got);
        }
    }
}
