using System.Globalization;
using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;

namespace Sekisho.Verification.Rows;

/// <summary>V01 to V04, V06, V07, V25: who may authenticate and send.</summary>
internal static class AccessRows
{
    public static async Task RegisteredAsync(Scene scene)
    {
        var unit = await scene.RegisterAsync().ConfigureAwait(false);
        var answer = await unit.SignInAsync().ConfigureAwait(false);
        var expires = answer.Status == 200 ? JsonNode.Parse(answer.Body)!["expiresAt"]!.GetValue<DateTimeOffset>() : default;
        scene.Check(
            answer.Status == 200 && unit.Device.DeviceId == unit.Id && unit.Device.Token is { Length: > 20 } && expires > scene.Now,
            scene.Text("token", ("answer", Scene.Short(answer)), ("device", unit.Device.DeviceId ?? "–"), ("expires", expires.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture))));
    }

    public static async Task UnregisteredAsync(Scene scene)
    {
        var unit = await scene.RegisterAsync().ConfigureAwait(false);
        var right = unit.Device.Credential;
        var began = scene.Now;
        var address = scene.NewAddress();
        DeviceCredential[] wrong = [right with { CommonAuthId = right.CommonAuthId + "x" }, right with { AuthSecret = right.AuthSecret + "x" }, right with { UniqueId = "NEVER-REGISTERED-1" }];
        foreach (var credential in wrong)
        {
            var answer = await scene.Connect(credential, address, "stranger/1.0", null).AuthenticateAsync().ConfigureAwait(false);
            scene.Check(answer is { Status: 401, Problem: "authentication-failed" }, Scene.Short(answer));
        }

        await scene.SettleAsync().ConfigureAwait(false);
        var recorded = await RecordedAsync(scene, address.ToString(), began).ConfigureAwait(false);
        scene.Check(recorded == wrong.Length, scene.Text("recorded", ("count", recorded.ToString(CultureInfo.InvariantCulture)), ("of", wrong.Length.ToString(CultureInfo.InvariantCulture))));
    }

    public static async Task LetInAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        unit.Note = "let in " + scene.FieldId;
        var reading = unit.Reading(scene.Now);
        var answer = await unit.SendAsync(reading).ConfigureAwait(false);
        scene.Check(answer.Status == 202, Scene.Short(answer));
        var got = await Scene.SeenAsync(() => Task.FromResult(scene.Cloud.Received.Where(m => m.DeviceId == unit.Id).ToList()), all => all.Count > 0).ConfigureAwait(false);
        scene.Check(got.Count == 1 && JsonNode.DeepEquals(JsonNode.Parse(got[0].Payload), JsonNode.Parse(reading)), scene.Text("in-cloud", ("count", got.Count.ToString(CultureInfo.InvariantCulture))));
        await scene.SettleAsync().ConfigureAwait(false);

        // What detection has judged is in the history; with nothing lost on the way the ledger's residue is zero.
        var ledger = await Scene.SeenAsync(async () => (await scene.Admin.GetAsync(scene.Path + "/ledger").ConfigureAwait(false)).Expect(), l => l["residue"]?.GetValue<long>() == 0 && l["forwarded"]?.GetValue<long>() == 1).ConfigureAwait(false);
        scene.Check(ledger["residue"]?.GetValue<long>() == 0 && ledger["forwarded"]?.GetValue<long>() == 1, scene.Text("ledger", ("accepted", $"{ledger["accepted"]}"), ("forwarded", $"{ledger["forwarded"]}"), ("residue", $"{ledger["residue"]}")));
    }

    public static async Task KeptOutAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        var other = await scene.StartAsync().ConfigureAwait(false);
        unit.Note = "kept out " + scene.FieldId;
        var body = unit.Reading(scene.Now);

        // A body that is broken shows that it is not looked at: else the answer would be 400.
        var (token, name) = (unit.Device.Token, unit.Device.DeviceId);
        (string Case, string? Token, string? Device, string Body)[] attempts =
        [
            ("no-token", null, name, body),
            ("foreign-token", other.Device.Token, name, body),
            ("other-device", token, other.Device.DeviceId, body),
            ("made-up", new string('A', 43), name, body),
            ("broken-body", other.Device.Token, name, "{ broken"),
        ];
        foreach (var (what, shown, claimed, sent) in attempts)
        {
            (unit.Device.Token, unit.Device.DeviceId) = (shown, claimed);
            var answer = await unit.Device.SendAsync(sent).ConfigureAwait(false);
            scene.Check(answer.Status == 401, $"{scene.Text("attempt." + what)} {Scene.Short(answer)}");
        }

        (unit.Device.Token, unit.Device.DeviceId) = (token, name);
        await scene.WaitAsync(TimeSpan.FromHours(25)).ConfigureAwait(false);
        var late = await unit.Device.SendAsync(body).ConfigureAwait(false);
        scene.Check(late is { Status: 401, Problem: "token-expired" }, $"{scene.Text("attempt.expired")} {Scene.Short(late)}");
        await scene.SettleAsync().ConfigureAwait(false);
        var kept = (await scene.Admin.GetAsync(scene.Path + "/messages").ConfigureAwait(false)).Expect()["items"]!.AsArray().Count;
        scene.Check(kept == 0 && scene.Cloud.Received.All(m => m.DeviceId != unit.Id), scene.Text("kept", ("count", kept.ToString(CultureInfo.InvariantCulture))));
    }

    public static async Task RegisterAndDeleteAsync(Scene scene)
    {
        var leaving = await scene.StartAsync().ConfigureAwait(false);
        var coming = await scene.RegisterAsync().ConfigureAwait(false);
        var deleted = await scene.Admin.DeleteAsync($"{scene.Path}/devices/{leaving.Id}").ConfigureAwait(false);
        scene.Check(deleted.Status == 204, $"DELETE {deleted.Status}");
        var first = await coming.SignInAsync().ConfigureAwait(false);
        scene.Check(first.Status == 200, $"{scene.Text("new-device")} {Scene.Short(first)}");
        var sent = await leaving.Device.SendAsync(leaving.Reading(scene.Now)).ConfigureAwait(false);
        scene.Check(sent.Status == 401, $"{scene.Text("deleted-sends")} {Scene.Short(sent)}");
        var again = await leaving.SignInAsync().ConfigureAwait(false);
        scene.Check(again.Status == 401, $"{scene.Text("deleted-signs-in")} {Scene.Short(again)}");
        var audit = (await scene.Admin.GetAsync(scene.Path + "/audit").ConfigureAwait(false)).Expect()["items"]!.AsArray().Select(a => a!["action"]!.GetValue<string>()).ToList();
        scene.Check(audit.Contains("device.register") && audit.Contains("device.delete"), scene.Text("audit", ("actions", string.Join(", ", audit.Distinct()))));
    }

    public static async Task DeletedOrUnknownAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        var began = scene.Now;
        await scene.Admin.DeleteAsync($"{scene.Path}/devices/{unit.Id}").ConfigureAwait(false);
        var deleted = await unit.SignInAsync().ConfigureAwait(false);
        scene.Check(deleted is { Status: 401, Problem: "authentication-failed" }, $"{scene.Text("deleted-signs-in")} {Scene.Short(deleted)}");
        var address = scene.NewAddress();
        var unknown = await scene.Connect(new DeviceCredential("c00000000000000000000", "no-secret-of-anybody", "NEVER-REGISTERED-2"), address, "stranger/1.0", null).AuthenticateAsync().ConfigureAwait(false);
        scene.Check(unknown is { Status: 401, Problem: "authentication-failed" }, $"{scene.Text("unknown-signs-in")} {Scene.Short(unknown)}");
        await scene.SettleAsync().ConfigureAwait(false);
        var recorded = await RecordedAsync(scene, address.ToString(), began).ConfigureAwait(false) + await RecordedAsync(scene, unit.Device.Line.From!.ToString(), began).ConfigureAwait(false);
        scene.Check(recorded == 2, scene.Text("recorded", ("count", recorded.ToString(CultureInfo.InvariantCulture)), ("of", "2")));
    }

    /// <summary>V25: a device that is marked abnormal, by a person and then by a response, is kept out with valid credentials until it is released.</summary>
    public static async Task LockedOutAsync(Scene scene)
    {
        await LockOut.BindAsync(scene, "warning").ConfigureAwait(false);
        var unit = await scene.StartAsync().ConfigureAwait(false);
        var before = await unit.ReadAsync().ConfigureAwait(false);
        scene.Check(before.Status == 202, $"{scene.Text("before")} {Scene.Short(before)}");
        (await scene.Admin.PostAsync($"{scene.Path}/devices/{unit.Id}/state", new { state = "abnormal", reason = "verification" }).ConfigureAwait(false)).Expect();
        await LockOut.KeptOutAsync(scene, unit).ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        var states = await scene.HistoryAsync("device-state").ConfigureAwait(false);
        scene.Check(states.Any(s => s["what"]!.GetValue<string>().Contains("abnormal", StringComparison.Ordinal)), scene.Text("state-recorded"));
        (await scene.Admin.PostAsync($"{scene.Path}/devices/{unit.Id}/state", new { state = "released", reason = "verification" }).ConfigureAwait(false)).Expect();

        // As far apart as its readings usually are, so that only what is meant is found.
        await scene.WaitAsync(TimeSpan.FromMinutes(6)).ConfigureAwait(false);
        await LockOut.LetInAsync(scene, unit).ConfigureAwait(false);
        await scene.WaitAsync(TimeSpan.FromMinutes(6)).ConfigureAwait(false);

        var began = scene.Now;
        await ContentRows.SendOversizedAsync(scene, unit).ConfigureAwait(false);
        if (await scene.DetectedAsync(Claims.Size, began).ConfigureAwait(false) is not null)
        {
            await LockOut.HoldsUntilReleasedAsync(scene, unit, mustHold: false).ConfigureAwait(false);
        }
    }

    /// <summary>Refusals that the history of the field and of the gateway have recorded of an address.</summary>
    private static async Task<int> RecordedAsync(Scene scene, string address, DateTimeOffset since)
    {
        var gateway = (await scene.Admin.GetAsync($"/ops/v1/history?kind=refusal&limit=500&from={Uri.EscapeDataString(since.ToString("O", CultureInfo.InvariantCulture))}").ConfigureAwait(false)).Expect()["items"]!.AsArray().Select(l => l!);
        return gateway.Concat(await scene.HistoryAsync("refusal").ConfigureAwait(false)).Where(l => l["details"]?["source"]?.GetValue<string>() == address).Sum(l => l["details"]!["count"]!.GetValue<int>());
    }
}
