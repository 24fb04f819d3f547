namespace Sekisho.Verification.Rows;

/// <summary>V12 to V15, V18 and F1: how often devices send, when they fall silent, what their clocks say.</summary>
internal static class CadenceRows
{
    private static readonly TimeSpan Five = TimeSpan.FromMinutes(5);

    // What a unit does whose clock runs a little fast. At six hours to the second its next reading would race with the limit of silence.
    private static readonly TimeSpan Six = TimeSpan.FromHours(6) - TimeSpan.FromMinutes(4);

    public static async Task TooOftenEngineOffAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        unit.Mode = "off";
        await unit.ReadEveryAsync(Six, 3).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        await scene.WaitAsync(TimeSpan.FromHours(1)).ConfigureAwait(false);
        await unit.ReadAsync().ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.TooOften, began).ConfigureAwait(false);
    }

    public static async Task TooOftenEngineOnAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await unit.ReadEveryAsync(Five, 6).ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        await scene.WaitAsync(TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        await unit.ReadAsync().ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.TooOften, began).ConfigureAwait(false);
    }

    /// <summary>V14: nothing for six hours; people are told, and what they agree to locks the unit out until they release it.</summary>
    public static async Task SilenceAsync(Scene scene)
    {
        var address = await LockOut.NotifyAsync(scene).ConfigureAwait(false);
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await unit.ReadEveryAsync(Five, 6).ConfigureAwait(false);
        unit.Mode = "off";
        await scene.WaitAsync(Five).ConfigureAwait(false);
        await unit.ReadAsync().ConfigureAwait(false);
        var last = scene.Now;
        await scene.WaitAsync(TimeSpan.FromHours(6) - Five).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        await scene.WaitAsync(TimeSpan.FromMinutes(10)).ConfigureAwait(false);
        if (await scene.DetectedAsync(Claims.Silent, last).ConfigureAwait(false) is not null)
        {
            await LockOut.MailedAsync(scene, address, unit).ConfigureAwait(false);
            await LockOut.HoldsUntilReleasedAsync(scene, unit, mustHold: true).ConfigureAwait(false);
        }
    }

    public static async Task CarriedAwayAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await unit.ReadEveryAsync(Five, 12).ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        foreach (var minutes in (int[])[8, 11, 14])
        {
            await scene.WaitAsync(TimeSpan.FromMinutes(minutes)).ConfigureAwait(false);
            await unit.ReadAsync().ConfigureAwait(false);
        }

        await scene.SettleAsync().ConfigureAwait(false);
        var early = await scene.DetectedAsync(Claims.Falling, began).ConfigureAwait(false);
        await scene.WaitAsync(TimeSpan.FromMinutes(45)).ConfigureAwait(false);
        var then = await scene.DetectedAsync(Claims.Stopped, began).ConfigureAwait(false);
        if (early is not null && then is not null && then.RaisedAt <= early.RaisedAt)
        {
            scene.Fail(scene.Text("not-early"));
        }
    }

    public static async Task TimestampsAsync(Scene scene)
    {
        (string Stage, Func<Unit, DateTimeOffset, int, string> Reading)[] forgeries =
        [
            ("future", (unit, last, i) => unit.Reading(scene.Now.AddHours(3).AddMinutes(i))),
            ("backwards", (unit, last, i) => unit.Reading(last.AddDays(-3).AddMinutes(-i))),
            ("repeated", (unit, last, i) => unit.Reading(last)),
        ];
        var units = new List<Unit>();
        foreach (var unused in forgeries)
        {
            units.Add(await scene.StartAsync().ConfigureAwait(false));
        }

        for (var i = 0; i < 4; i++)
        {
            foreach (var unit in units)
            {
                await unit.ReadAsync().ConfigureAwait(false);
            }

            await scene.WaitAsync(Five).ConfigureAwait(false);
        }

        await scene.QuietAsync().ConfigureAwait(false);
        var (began, last) = (scene.Now, scene.Now - Five);
        for (var i = 0; i < 3; i++)
        {
            for (var u = 0; u < units.Count; u++)
            {
                await units[u].SendAsync(forgeries[u].Reading(units[u], last, i)).ConfigureAwait(false);
            }

            await scene.WaitAsync(Five).ConfigureAwait(false);
        }

        foreach (var (stage, _) in forgeries)
        {
            await scene.DetectedAsync(Claims.Timestamp with { Stage = stage }, began).ConfigureAwait(false);
        }
    }

    /// <summary>F1: 40 minutes without coverage, then 8 stored readings within 3 seconds; the same again when the acknowledgement was lost.</summary>
    public static async Task BacklogAsync(Scene scene, bool isRepeated)
    {
        var unit = await DrivingAsync(scene).ConfigureAwait(false);
        var last = scene.Now;
        var stored = new List<string>();
        for (var i = 1; i <= 8; i++)
        {
            stored.Add(unit.Reading(last + (i * Five)));
        }

        await scene.UntilAsync(last + (8 * Five) + TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        foreach (var round in Enumerable.Range(0, isRepeated ? 2 : 1))
        {
            foreach (var reading in stored)
            {
                var answer = await unit.SendAsync(reading).ConfigureAwait(false);
                scene.Check(answer.Status == 202, Scene.Short(answer));
                await scene.WaitAsync(TimeSpan.FromMilliseconds(350)).ConfigureAwait(false);
            }
        }

        await scene.UntilAsync(last + (9 * Five)).ConfigureAwait(false);
        await unit.ReadEveryAsync(Five, 6).ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var retracted = (await scene.AlertsAsync().ConfigureAwait(false)).Where(a => a.Condition == "silence").ToList();
        scene.Check(retracted.Count > 0 && retracted.All(a => a.Retracted is not null), scene.Text("gap-recorded", ("what", string.Join(" / ", retracted.Select(a => $"{a.Sentence} → {a.Retracted ?? "–"}")))));
        if (isRepeated)
        {
            var got = await Scene.SeenAsync(() => Task.FromResult(scene.Cloud.Distinct().Where(m => m.DeviceId == unit.Id).ToList()), m => m.Count >= unit.Sequence).ConfigureAwait(false);
            scene.Check(got.Count == unit.Sequence && got.Select(m => m.Sequence).Distinct().Count() == got.Count, scene.Text("no-duplicates", ("count", got.Count.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        }
    }

    /// <summary>F1: a car that parks underground every night for 9 hours. 14 days are learnt from; what follows must be quiet.</summary>
    public static async Task GarageAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        DateTimeOffset learnt = default;
        for (var day = 1; day <= 16; day++)
        {
            learnt = day == 15 ? scene.Now : learnt;

            // To work at nine, parked outside with a reading after six hours; home late, and from there on no coverage for nine hours. The reading that
            // falls due meanwhile is stored and delivered in the morning.
            await DriveAsync(scene, unit, TimeSpan.FromMinutes(40)).ConfigureAwait(false);
            await scene.WaitAsync(Six).ConfigureAwait(false);
            await unit.ReadAsync().ConfigureAwait(false);
            await scene.UntilHourAsync(21).ConfigureAwait(false);
            await DriveAsync(scene, unit, TimeSpan.FromMinutes(40)).ConfigureAwait(false);
            var stored = unit.Reading(scene.Now + Six);
            await scene.WaitAsync(TimeSpan.FromHours(9)).ConfigureAwait(false);
            await unit.SendAsync(stored).ConfigureAwait(false);
            await DriveAsync(scene, unit, TimeSpan.FromMinutes(20)).ConfigureAwait(false);
            await scene.UntilHourAsync(9).ConfigureAwait(false);
        }

        await scene.QuietAsync(learnt).ConfigureAwait(false);
    }

    /// <summary>F1: unplugged with the engine off; and another whose SIM is on the network while the unit is silent.</summary>
    public static async Task UnpluggedAsync(Scene scene)
    {
        var units = await DrivingAsync(scene, 2).ConfigureAwait(false);
        var (parked, attached) = (units[0], units[1]);
        parked.Mode = attached.Mode = "off";
        await scene.WaitAsync(Five).ConfigureAwait(false);
        await parked.ReadAsync().ConfigureAwait(false);
        await attached.ReadAsync().ConfigureAwait(false);
        var last = scene.Now;
        for (var i = 0; i < 40 && scene.Now < last + TimeSpan.FromHours(6) + Five; i++)
        {
            await scene.WaitAsync(TimeSpan.FromMinutes(10)).ConfigureAwait(false);
            await SimRows.ReportAsync(scene, attached, session: "attached").ConfigureAwait(false);
            await SimRows.ReportAsync(scene, parked, session: "detached").ConfigureAwait(false);
        }

        var late = await OfAsync(scene, parked, Claims.Silent, last, last + TimeSpan.FromHours(6) + Five).ConfigureAwait(false);
        var sooner = await OfAsync(scene, attached, Claims.Silent, last, last + TimeSpan.FromHours(6) + Five).ConfigureAwait(false);
        if (late is not null && sooner is not null && sooner.RaisedAt >= late.RaisedAt)
        {
            scene.Fail(scene.Text("not-sooner"));
        }
    }

    /// <summary>F1: a gap of 40 minutes, then 60 readings that claim to lie in it.</summary>
    public static async Task CrowdedAsync(Scene scene)
    {
        var unit = await DrivingAsync(scene).ConfigureAwait(false);
        var last = scene.Now;
        await scene.UntilAsync(last + (8 * Five) + TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        var began = scene.Now;
        for (var i = 1; i <= 60; i++)
        {
            await unit.SendAsync(unit.Reading(last + (i * TimeSpan.FromSeconds(40)))).ConfigureAwait(false);
            await scene.WaitAsync(TimeSpan.FromMilliseconds(50)).ConfigureAwait(false);
        }

        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Burst, began).ConfigureAwait(false);
    }

    /// <summary>F1: after a gap a burst whose times are the present, one and the same, or made up.</summary>
    public static async Task ForgedBurstsAsync(Scene scene)
    {
        (string Name, Func<DateTimeOffset, int, DateTimeOffset> Time)[] bursts =
        [
            ("current", (_, _) => scene.Now),
            ("repeated", (last, _) => last + Five),
            ("forged", (last, i) => last.AddHours(4) + (i * Five)),
        ];
        var units = await DrivingAsync(scene, bursts.Length).ConfigureAwait(false);
        var last = scene.Now;
        await scene.UntilAsync(last + (8 * Five) + TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        var began = scene.Now;
        for (var i = 1; i <= 8; i++)
        {
            for (var u = 0; u < units.Count; u++)
            {
                await units[u].SendAsync(units[u].Reading(bursts[u].Time(last, i))).ConfigureAwait(false);
            }

            await scene.WaitAsync(TimeSpan.FromMilliseconds(350)).ConfigureAwait(false);
        }

        await scene.SettleAsync().ConfigureAwait(false);
        foreach (var unit in units)
        {
            await OfAsync(scene, unit, Claims.Burst, began, DateTimeOffset.MaxValue).ConfigureAwait(false);
        }
    }

    /// <summary>F1: a copy of a unit, token and all, takes turns with it from elsewhere.</summary>
    public static async Task CloneAsync(Scene scene)
    {
        var unit = await DrivingAsync(scene).ConfigureAwait(false);
        await scene.WaitAsync(Five - TimeSpan.FromSeconds(30)).ConfigureAwait(false);
        var clone = unit.At(scene.NewAddress(), "sekisho-unit/1.0");
        clone.Sequence = unit.Sequence - 3;
        var began = scene.Now;
        foreach (var one in (Unit[])[clone, unit, clone, unit])
        {
            await one.ReadAsync().ConfigureAwait(false);
            await scene.WaitAsync(TimeSpan.FromSeconds(15)).ConfigureAwait(false);
        }

        await OfAsync(scene, unit, Claims.Clone, began, began.AddSeconds(60)).ConfigureAwait(false);
    }

    private static async Task<Alert?> OfAsync(Scene scene, Unit unit, Claim claim, DateTimeOffset since, DateTimeOffset by) => await scene.DetectedAsync(claim with { DeviceId = unit.Id }, since, by).ConfigureAwait(false);

    private static async Task<Unit> DrivingAsync(Scene scene) => (await DrivingAsync(scene, 1).ConfigureAwait(false))[0];

    /// <summary>Units that have been sending for a while, as often as they may; now is the moment of their last reading.</summary>
    private static async Task<IReadOnlyList<Unit>> DrivingAsync(Scene scene, int count)
    {
        var units = new List<Unit>();
        while (units.Count < count)
        {
            units.Add(await scene.StartAsync().ConfigureAwait(false));
        }

        for (var i = 0; i < 8; i++)
        {
            if (i > 0)
            {
                await scene.WaitAsync(Five).ConfigureAwait(false);
            }

            foreach (var unit in units)
            {
                await unit.ReadAsync().ConfigureAwait(false);
            }
        }

        return units;
    }

    private static async Task DriveAsync(Scene scene, Unit unit, TimeSpan time)
    {
        unit.Mode = "on";
        await unit.ReadEveryAsync(Five, (int)(time / Five)).ConfigureAwait(false);
        await scene.WaitAsync(Five).ConfigureAwait(false);
        unit.Mode = "off";
        await unit.ReadAsync().ConfigureAwait(false);
    }
}
