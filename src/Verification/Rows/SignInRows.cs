namespace Sekisho.Verification.Rows;

/// <summary>V16, V17, V22 and F4: how often, when and from where users and devices authenticate.</summary>
internal static class SignInRows
{
    public static async Task StormAsync(Scene scene)
    {
        var user = await scene.RegisterAsync(new { uniqueIdType = "user", uniqueId = "pupil-" + scene.FieldId, kind = "user" }).ConfigureAwait(false);
        await user.SignedInAsync().ConfigureAwait(false);
        await scene.WaitAsync(TimeSpan.FromMinutes(10)).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        for (var i = 0; i < 10; i++)
        {
            await user.SignInAsync().ConfigureAwait(false);
            await scene.WaitAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        }

        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Storm, began).ConfigureAwait(false);
    }

    public static async Task AbnormalHoursAsync(Scene scene)
    {
        var user = await scene.RegisterAsync(new { uniqueIdType = "user", uniqueId = "pupil-" + scene.FieldId, kind = "user" }).ConfigureAwait(false);
        await user.SignedInAsync().ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        await scene.UntilHourAsync(23).ConfigureAwait(false);
        var began = scene.Now;
        var answer = await user.SignInAsync().ConfigureAwait(false);
        scene.Check(answer.Status == 200, $"23:00 {Scene.Short(answer)}");
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Hours, began).ConfigureAwait(false);
    }

    /// <summary>V22: a device of the house or the school, used there every day, authenticates from elsewhere.</summary>
    public static async Task ForeignNetworkAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await DaysAtHomeAsync(scene, unit, 3).ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        await unit.At(scene.NewDistantAddress()).SignInAsync().ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Network with { IsInformation = true }, began).ConfigureAwait(false);
    }

    /// <summary>F4: from home, on a personal device, with correct credentials at a usual hour, for the first time and then again and again.</summary>
    public static async Task FromHomeAsync(Scene scene)
    {
        var pupil = await scene.RegisterAsync(new { uniqueIdType = "user", uniqueId = "pupil-" + scene.FieldId, kind = "user" }).ConfigureAwait(false);
        await pupil.SignedInAsync().ConfigureAwait(false);
        await DaysAtHomeAsync(scene, pupil, 3).ConfigureAwait(false);
        var began = scene.Now;
        var home = scene.NewDistantAddress();
        var personal = pupil.At(home, "personal-tablet/2.0");
        for (var day = 0; day < 4; day++)
        {
            await scene.UntilHourAsync(16).ConfigureAwait(false);
            var answer = await personal.SignInAsync().ConfigureAwait(false);
            scene.Check(answer.Status is 200 or 202, Scene.Short(answer));
            await personal.ReadAsync().ConfigureAwait(false);
            await scene.SettleAsync().ConfigureAwait(false);
        }

        await scene.QuietAsync(began).ConfigureAwait(false);
        var told = (await scene.AlertsAsync().ConfigureAwait(false)).Where(a => a.RaisedAt >= began && a.Effect == "act" && Claims.Network.Kinds.Contains(a.Condition)).ToList();
        scene.Check(told.Count == 1, scene.Text("told-once", ("count", told.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("what", string.Join(" / ", told.Select(a => a.Sentence)))));
    }

    /// <summary>F4: two distant networks within an hour.</summary>
    public static async Task DistantAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await DaysAtHomeAsync(scene, unit, 3).ConfigureAwait(false);
        var began = scene.Now;
        await unit.SignInAsync().ConfigureAwait(false);
        await scene.WaitAsync(TimeSpan.FromMinutes(30)).ConfigureAwait(false);
        await unit.At(scene.NewDistantAddress()).SignInAsync().ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Network, began).ConfigureAwait(false);
    }

    /// <summary>F4: after failed attempts a foreign network, a new client and an abnormal hour together.</summary>
    public static async Task ThiefAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await DaysAtHomeAsync(scene, unit, 3).ConfigureAwait(false);
        await scene.UntilHourAsync(23).ConfigureAwait(false);
        await scene.WaitAsync(TimeSpan.FromHours(3)).ConfigureAwait(false);
        var began = scene.Now;
        var address = scene.NewDistantAddress();
        var right = unit.Device.Credential;
        for (var i = 0; i < 4; i++)
        {
            await scene.Connect(right with { AuthSecret = right.AuthSecret + i }, address, "curl/8.5.0", null).AuthenticateAsync().ConfigureAwait(false);
            await scene.WaitAsync(TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        }

        await scene.Connect(right, address, "curl/8.5.0", null).AuthenticateAsync().ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Network with { Risks = ["theft"] }, began).ConfigureAwait(false);
    }

    /// <summary>School days, or days at home: signs in in the morning and sends a few readings. Ends in the afternoon of the last.</summary>
    private static async Task DaysAtHomeAsync(Scene scene, Unit unit, int days)
    {
        for (var day = 0; day < days; day++)
        {
            if (day > 0)
            {
                await scene.UntilHourAsync(9).ConfigureAwait(false);
                await unit.SignInAsync().ConfigureAwait(false);
            }

            await unit.ReadEveryAsync(TimeSpan.FromMinutes(5), 60).ConfigureAwait(false);
        }
    }
}
