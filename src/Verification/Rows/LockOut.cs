using System.Globalization;
using System.Text.Json.Nodes;
using Sekisho.Verification.Mail;

namespace Sekisho.Verification.Rows;

/// <summary>The response parts of rows: what is done about a detection, that it holds, and that a person ends it.</summary>
internal static class LockOut
{
    public const string Action = "suspend-authentication";

    /// <summary>Longer than any restriction lasts by itself.</summary>
    private static readonly TimeSpan LongerThanRestrictions = TimeSpan.FromHours(25);

    /// <summary>Has the field's mails sent to an address of its own.</summary>
    /// <returns>The address.</returns>
    public static async Task<string> NotifyAsync(Scene scene)
    {
        var address = scene.FieldId + "@example.jp";
        (await scene.Admin.PutAsync(scene.Path + "/notification", new { recipients = new[] { new { address, role = "administrator" } } }).ConfigureAwait(false)).Expect();
        return address;
    }

    /// <summary>Binds the lock-out to what its template leaves to people: takeover.</summary>
    public static async Task BindAsync(Scene scene, string level)
    {
        var rules = (await scene.Admin.GetAsync(scene.Path + "/response-rules").ConfigureAwait(false)).Expect()["rules"]!.AsArray();
        if (!rules.Any(r => r!["action"]!.GetValue<string>() == Action && r["risk"]!.GetValue<string>() is "takeover" or "*" && r["level"]!.GetValue<string>() == level))
        {
            (await scene.Admin.PutAsync(scene.Path + "/response-rules", new { reason = "verification", rules = new[] { new { risk = "*", level, action = Action } } }).ConfigureAwait(false)).Expect();
        }
    }

    /// <summary>People were told of the device by mail.</summary>
    public static async Task MailedAsync(Scene scene, string address, Unit unit)
    {
        List<ReceivedMail> About() => [.. scene.Mail.To(address).Where(m => m.Subject.Contains(unit.Id, StringComparison.Ordinal))];
        for (var i = 0; i < 60 && About().Count == 0; i++)
        {
            await PauseAsync(scene).ConfigureAwait(false);
        }

        var mails = About();
        scene.Check(mails.Count > 0, scene.Text("mailed", ("address", address), ("count", mails.Count.ToString(CultureInfo.InvariantCulture)), ("subject", mails.Count > 0 ? mails[0].Subject : "–")));
    }

    /// <summary>The lock-out of a device comes into force (a person agrees where the rule asks for one), keeps the device out with valid credentials, and ends when a person releases it.</summary>
    /// <param name="scene">The play.</param>
    /// <param name="unit">The device.</param>
    /// <param name="mustHold">Also waits longer than any restriction lasts: a lock-out for theft or takeover does not end by the clock.</param>
    public static async Task HoldsUntilReleasedAsync(Scene scene, Unit unit, bool mustHold)
    {
        var ordered = await FindAsync(scene, unit, "waiting-approval", "due", "running", "done").ConfigureAwait(false);
        if (ordered is null)
        {
            scene.Check(false, scene.Text("no-response", ("action", Action)));
            return;
        }

        if (ordered["approval"]!.GetValue<string>() != "automatic")
        {
            var before = await unit.SignInAsync().ConfigureAwait(false);
            scene.Check(before.Status == 200, $"{scene.Text("until-agreed")} {Scene.Short(before)}");
            (await scene.Admin.PostAsync($"{scene.Path}/responses/{IdOf(ordered)}/approve", new { reason = "verification" }).ConfigureAwait(false)).Expect();
        }

        var lease = await FindAsync(scene, unit, "done").ConfigureAwait(false);
        scene.Check(lease is not null, Said(scene, lease));
        await KeptOutAsync(scene, unit).ConfigureAwait(false);
        if (mustHold)
        {
            await scene.WaitAsync(LongerThanRestrictions).ConfigureAwait(false);
            var after = (await ListAsync(scene, unit).ConfigureAwait(false)).Count(l => StateOf(l) == "done");
            scene.Check(after > 0, scene.Text("response-holds", ("hours", LongerThanRestrictions.TotalHours.ToString(CultureInfo.InvariantCulture))));
            await KeptOutAsync(scene, unit).ConfigureAwait(false);
        }

        // A device may have been ordered out by several detections: what waits is refused, what is in force is taken back.
        foreach (var other in await ListAsync(scene, unit).ConfigureAwait(false))
        {
            if (StateOf(other) is "waiting-approval" or "planned" or "due" or "done")
            {
                await scene.Admin.PostAsync($"{scene.Path}/responses/{IdOf(other)}/{(StateOf(other) == "done" ? "undo" : "refuse")}", new { reason = "verification" }).ConfigureAwait(false);
            }
        }

        var undone = await FindAsync(scene, unit, "undone").ConfigureAwait(false);
        scene.Check(undone is not null && (await ListAsync(scene, unit).ConfigureAwait(false)).All(l => StateOf(l) != "done"), Said(scene, undone));
        await LetInAsync(scene, unit).ConfigureAwait(false);
    }

    /// <summary>Valid credentials and a valid token are refused.</summary>
    public static async Task KeptOutAsync(Scene scene, Unit unit)
    {
        var sent = await unit.Device.SendAsync(unit.Reading(scene.Now)).ConfigureAwait(false);
        scene.Check(sent.Status == 403, $"{scene.Text("sends")} {Scene.Short(sent)}");
        var signedIn = await unit.SignInAsync().ConfigureAwait(false);
        scene.Check(signedIn.Status == 403, $"{scene.Text("signs-in")} {Scene.Short(signedIn)}");
    }

    /// <summary>It authenticates and sends again.</summary>
    public static async Task LetInAsync(Scene scene, Unit unit)
    {
        var signedIn = await unit.SignInAsync().ConfigureAwait(false);
        var sent = await unit.Device.SendAsync(unit.Reading(scene.Now)).ConfigureAwait(false);
        scene.Check(signedIn.Status == 200 && sent.Status == 202, scene.Text("released", ("signs-in", Scene.Short(signedIn)), ("sends", Scene.Short(sent))));
    }

    /// <summary>The first lock-out of the device in one of these states; responses are worked off in the gateway's own time.</summary>
    private static async Task<JsonNode?> FindAsync(Scene scene, Unit unit, params string[] states)
    {
        for (var i = 0; i < 60; i++)
        {
            if ((await ListAsync(scene, unit).ConfigureAwait(false)).FirstOrDefault(l => states.Contains(StateOf(l))) is { } lease)
            {
                return lease;
            }

            await PauseAsync(scene).ConfigureAwait(false);
        }

        return null;
    }

    private static async Task<IReadOnlyList<JsonNode>> ListAsync(Scene scene, Unit unit) =>
        [.. (await scene.Admin.GetAsync(scene.Path + "/responses?limit=500").ConfigureAwait(false)).Expect()["items"]!.AsArray().Select(l => l!)
            .Where(l => l["action"]!.GetValue<string>() == Action && l["deviceId"]?.GetValue<string>() == unit.Id)];

    private static async Task PauseAsync(Scene scene)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System).ConfigureAwait(false);
        await scene.WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
    }

    private static string Said(Scene scene, JsonNode? lease) => scene.Text(
        "response-state", ("action", lease?["actionName"]?.GetValue<string>() ?? Action), ("state", lease?["stateName"]?.GetValue<string>() ?? "–"),
        ("cause", lease?["causeText"]?.GetValue<string>() is { } cause ? " " + cause : ""));

    private static string IdOf(JsonNode lease) => lease["id"]!.GetValue<string>();

    private static string StateOf(JsonNode lease) => lease["state"]!.GetValue<string>();
}
