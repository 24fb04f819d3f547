using System.Globalization;
using Sekisho.Verification.Carrier;

namespace Sekisho.Verification.Rows;

/// <summary>V19 to V21, V26, F2 and F3: what the carrier knows of a SIM, against what arrives, and what it is asked to do.</summary>
internal static class SimRows
{
    private const int HoursOfADay = 24;
    private static readonly TimeSpan Five = TimeSpan.FromMinutes(5);

    /// <summary>Tells of a SIM as a carrier would: over a period its bytes, and its address and session at the end.</summary>
    public static async Task ReportAsync(Scene scene, Unit unit, DateTimeOffset? from = null, long? up = null, long? down = null, string? address = null, string? session = null) =>
        (await scene.Admin.PostAsync(scene.Path + "/sim-facts", new[]
        {
            new { deviceId = unit.Id, provider = "verification", from = from ?? scene.Now, to = scene.Now, uplinkBytes = up, downlinkBytes = down, address, session },
        }).ConfigureAwait(false)).Expect();

    /// <summary>V19: the SIM has carried several times what arrived from the device; the response that is bound to it runs, and a person takes it back.</summary>
    public static async Task VolumeAsync(Scene scene)
    {
        await LockOut.BindAsync(scene, "important").ConfigureAwait(false);
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await DayAsync(scene, unit, (up, down) => (up, down)).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        await DayAsync(scene, unit, (up, down) => (up * 4, down)).ConfigureAwait(false);
        if (await scene.DetectedAsync(Claims.Volume, began).ConfigureAwait(false) is not null)
        {
            await LockOut.HoldsUntilReleasedAsync(scene, unit, mustHold: false).ConfigureAwait(false);
        }
    }

    /// <summary>F2: on a bad link most readings take 1 to 6 retries; all of them are on the SIM's bill.</summary>
    public static async Task RetriesAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        var number = 0;
        await DayAsync(scene, unit, (up, down) => (up, down), async reading =>
        {
            // Three of four readings are sent 1 to 6 times more: cut off half-way, or whole with the answer lost.
            var more = ++number % 4 == 0 ? 0 : 1 + (number * 5 % 6);
            for (var i = 0; i < more; i++)
            {
                if (i % 2 == 0)
                {
                    await unit.Device.BreakOffAsync(reading, share: 0.3 + (0.1 * (number % 6))).ConfigureAwait(false);
                }
                else
                {
                    await unit.SendAsync(reading).ConfigureAwait(false);
                }
            }
        }).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
    }

    /// <summary>F2: nearly a third more goes out of the device than arrives here, and nothing was repeated.</summary>
    public static async Task ElsewhereAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await DayAsync(scene, unit, (up, down) => (up, down)).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        await DayAsync(scene, unit, (up, down) => (up * 130 / 100, down + (up * 5 / 100))).ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Volume, began, began.AddDays(1).AddHours(1)).ConfigureAwait(false);
    }

    /// <summary>F2: the same, with the device saying in every reading that it retried, which no connection bears out.</summary>
    public static async Task ForgedRetriesAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await DayAsync(scene, unit, (up, down) => (up, down)).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        unit.Retries = 4;
        await DayAsync(scene, unit, (up, down) => (up * 3, down)).ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Volume, began).ConfigureAwait(false);
    }

    /// <summary>F3: somebody on the Internet scans the SIM's address; the device answers nothing.</summary>
    public static async Task ScannedAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await DayAsync(scene, unit, (up, down) => (up, down)).ConfigureAwait(false);
        var began = scene.Now;
        await DayAsync(scene, unit, (up, down) => (up, down + 400_000)).ConfigureAwait(false);
        await scene.QuietAsync(began).ConfigureAwait(false);
        var told = (await scene.AlertsAsync().ConfigureAwait(false)).Where(a => a.RaisedAt >= began && a.Effect == "act" && Claims.Volume.Kinds.Contains(a.Condition)).ToList();
        scene.Check(told.Count == 1, scene.Text("told-once", ("count", told.Count.ToString(CultureInfo.InvariantCulture)), ("what", string.Join(" / ", told.Select(a => a.Sentence)))));
    }

    /// <summary>F3: the device answers what comes in.</summary>
    public static async Task AnsweringAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await DayAsync(scene, unit, (up, down) => (up, down)).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        await DayAsync(scene, unit, (up, down) => (up + 300_000, down + 400_000)).ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Volume, began).ConfigureAwait(false);
    }

    /// <summary>V20: the SIM has one address, the data come from another.</summary>
    public static async Task OtherSourceAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        var own = unit.Device.Line.From!.ToString();
        for (var i = 0; i < 3; i++)
        {
            await ReportAsync(scene, unit, address: own, session: "attached").ConfigureAwait(false);
            await unit.ReadAsync().ConfigureAwait(false);
            await scene.WaitAsync(Five).ConfigureAwait(false);
        }

        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        await ReportAsync(scene, unit, address: own, session: "attached").ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        var elsewhere = unit.At(scene.NewAddress());
        for (var i = 0; i < 3; i++)
        {
            await elsewhere.ReadAsync().ConfigureAwait(false);
            await scene.WaitAsync(Five).ConfigureAwait(false);
        }

        await scene.DetectedAsync(Claims.Source, began).ConfigureAwait(false);
    }

    /// <summary>V21: devices that have an address each are all at one, which is no shared uplink that anybody knows.</summary>
    public static async Task OneSourceAsync(Scene scene)
    {
        var units = new List<Unit>();
        for (var i = 0; i < 4; i++)
        {
            units.Add(await scene.StartAsync().ConfigureAwait(false));
        }

        for (var i = 0; i < 6; i++)
        {
            await EachAsync(scene, units).ConfigureAwait(false);
        }

        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        var address = scene.NewAddress();
        var moved = units.Select(u => u.At(address)).ToList();
        for (var i = 0; i < 3; i++)
        {
            await EachAsync(scene, moved).ConfigureAwait(false);
        }

        await scene.DetectedAsync(Claims.SharedSource, began).ConfigureAwait(false);
    }

    /// <summary>V26: a detection bound to it has the carrier switch the SIM off, once, and a person gives it back.</summary>
    public static async Task SuspendedAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        var number = scene.NewSerial().ToString("D12", CultureInfo.InvariantCulture);
        var sim = new CarrierSim("8942310" + number, "8981100" + number, "440" + number);
        scene.Carrier.Add(sim);
        (await scene.Admin.PutAsync(scene.Path + "/sim-provider", new { kind = "soracom", baseUrl = scene.Carrier.Address, secrets = new { authKeyId = scene.Carrier.AuthKeyId, authKey = scene.Carrier.AuthKey } }).ConfigureAwait(false)).Expect();
        (await scene.Admin.PutAsync($"{scene.Path}/sims/{unit.Id}", new { kind = "iccid", value = sim.Iccid }).ConfigureAwait(false)).Expect();
        (await scene.Admin.PutAsync(scene.Path + "/response-rules", new { reason = "verification", rules = new[] { new { risk = "*", level = "warning", action = "suspend-sim" } } }).ConfigureAwait(false)).Expect();
        scene.Check(scene.Carrier.StateOf(sim.SimId) == "active", scene.Text("sim-before", ("state", scene.Carrier.StateOf(sim.SimId))));

        var began = scene.Now;
        await ContentRows.SendOversizedAsync(scene, unit).ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Size, began).ConfigureAwait(false);
        var lease = await LeaseAsync(scene, "done").ConfigureAwait(false);
        var orders = scene.Carrier.Orders.Count(o => o.Contains(sim.SimId, StringComparison.Ordinal));
        scene.Check(scene.Carrier.StateOf(sim.SimId) == "suspended" && orders == 1, scene.Text("sim-after", ("state", scene.Carrier.StateOf(sim.SimId)), ("orders", orders.ToString(CultureInfo.InvariantCulture))));
        if (lease is null)
        {
            return;
        }

        await scene.Admin.PostAsync($"{scene.Path}/responses/{lease}/undo", new { reason = "verification" }).ConfigureAwait(false);
        await LeaseAsync(scene, "undone").ConfigureAwait(false);
        scene.Check(scene.Carrier.StateOf(sim.SimId) == "active", scene.Text("sim-undone", ("state", scene.Carrier.StateOf(sim.SimId))));
    }

    /// <summary>The suspension once it is in that state; it is tried in the gateway's own time.</summary>
    private static async Task<string?> LeaseAsync(Scene scene, string state)
    {
        for (var i = 0; i < 60; i++)
        {
            var lease = (await scene.Admin.GetAsync(scene.Path + "/responses").ConfigureAwait(false)).Expect()["items"]!.AsArray()
                .FirstOrDefault(l => l!["action"]!.GetValue<string>() == "suspend-sim" && l["state"]!.GetValue<string>() == state);
            if (lease is not null)
            {
                return lease["id"]!.GetValue<string>();
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System).ConfigureAwait(false);
            await scene.WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        }

        return null;
    }

    private static async Task EachAsync(Scene scene, IReadOnlyList<Unit> units)
    {
        foreach (var unit in units)
        {
            await unit.ReadAsync().ConfigureAwait(false);
        }

        await scene.WaitAsync(Five).ConfigureAwait(false);
    }

    /// <summary>A day with a reading every five minutes; each hour the carrier tells what its meter says, changed as the play wants it.</summary>
    private static async Task DayAsync(Scene scene, Unit unit, Func<long, long, (long Up, long Down)> bill, Func<string, Task>? first = null)
    {
        for (var hour = 0; hour < HoursOfADay; hour++)
        {
            var (from, up, down) = (scene.Now, unit.Device.Meter.Up, unit.Device.Meter.Down);
            for (var i = 0; i < 12; i++)
            {
                var reading = unit.Reading(scene.Now);
                if (first is not null)
                {
                    await first(reading).ConfigureAwait(false);
                }

                await unit.SendAsync(reading).ConfigureAwait(false);
                await scene.WaitAsync(Five).ConfigureAwait(false);
            }

            var (billedUp, billedDown) = bill(unit.Device.Meter.Up - up, unit.Device.Meter.Down - down);
            await ReportAsync(scene, unit, from, billedUp, billedDown, session: "attached").ConfigureAwait(false);
        }

        await scene.WaitAsync(TimeSpan.FromMinutes(2)).ConfigureAwait(false);
    }
}
