using System.Net.Http.Headers;
using System.Text;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>Commands from the field's cloud to a device, through the list, detection, responses and people, with real processes and connections.</summary>
public class CommandTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_dose_within_its_bounds_reaches_the_pump_and_one_outside_waits_for_a_person_also_when_the_gateway_is_killed_meanwhile()
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("ward", "medical-device", forwarding: false);
        using var pump = await site.ConnectAsync("ward", "PUMP-1", new { kind = "pump" });
        using var cloud = await KeyAsync(site, "clinic", ["commands:read", "commands:write"]);
        using var reader = await KeyAsync(site, "reader", ["devices:read", "responses:write"]);
        var commands = $"/api/v1/fields/ward/devices/{pump.DeviceId}/commands";
        Assert.Equal(403, (await reader.PostAsync(commands, new { name = "set-dose" })).Status);
        Assert.Equal(403, (await cloud.PutAsync("/api/v1/fields/ward/command-list", new { commands = Array.Empty<object>() })).Status);
        (await site.Admin.PutAsync("/api/v1/fields/ward/command-list", new
        {
            commands = new[] { new { name = "set-dose", kinds = new[] { "pump" }, senders = new[] { "key:clinic" }, arguments = new[] { new { pointer = "/dose", min = 0, max = 5, required = true } } } },
        })).Expect();

        // Benign: the pump waits for it and answers.
        var waiting = pump.FetchAsync(30);
        (await cloud.PostAsync(commands, new { name = "set-dose", arguments = new { dose = 4.5 } })).Expect();
        var task = Assert.Single((await waiting.WaitAsync(Soon)).Tasks);
        Assert.Equal(4.5, task.Arguments["dose"]!.GetValue<double>());
        Assert.Equal(200, (await pump.AnswerAsync(task.Id, "done")).Status);
        Assert.Equal("done", (await cloud.GetAsync("/api/v1/fields/ward/commands/" + task.Id)).Expect()["state"]!.GetValue<string>());

        // Attack: ten times the dose. It does not reach the pump; people see why.
        var held = (await cloud.PostAsync(commands, new { name = "set-dose", arguments = new { dose = 50 } })).Expect();
        var id = held["id"]!.GetValue<string>();
        Assert.Equal(("held", "argument"), (held["state"]!.GetValue<string>(), held["bound"]!.GetValue<string>()));
        Assert.Empty((await pump.FetchAsync()).Tasks);
        await site.RestartAsync();
        var lease = await site.ResponseAsync("ward", "hold-command", l => l["target"]!.GetValue<string>() == id && l["state"]!.GetValue<string>() == "done");
        Assert.Equal(held["validUntil"]!.GetValue<DateTimeOffset>(), lease["expiresAt"]!.GetValue<DateTimeOffset>());
        var finding = (await site.Admin.GetAsync($"/api/v1/fields/ward/detections/{lease["findingId"]!.GetValue<string>()}")).Expect().ToJsonString();
        Assert.Contains("/dose", finding, StringComparison.Ordinal);
        Assert.Contains("key:clinic", finding, StringComparison.Ordinal);
        var detections = (await site.Admin.GetAsync("/api/v1/fields/ward/detections")).Expect()["items"]!.AsArray();
        Assert.Single(detections, d => d!["condition"]!.GetValue<string>() == "command");

        // A key decides nothing; the administrator lets it go, and only then the pump gets it.
        Assert.Equal(403, (await reader.PostAsync($"/api/v1/fields/ward/responses/{lease["id"]!.GetValue<string>()}/undo", new { reason = "mine" })).Status);
        Assert.Equal(403, (await cloud.PostAsync($"/api/v1/fields/ward/commands/{id}/release", new { reason = "mine" })).Status);
        Assert.Empty((await pump.FetchAsync()).Tasks);
        Assert.InRange((await site.Admin.PostAsync($"/api/v1/fields/ward/responses/{lease["id"]!.GetValue<string>()}/undo", new { reason = "the doctor called" })).Status, 200, 299);
        Assert.Equal(id, Assert.Single((await pump.FetchAsync()).Tasks).Id);
    }

    [Fact]
    public async Task A_device_that_waits_is_answered_when_the_gateway_stops()
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("ward", forwarding: false);
        using var pump = await site.ConnectAsync("ward", "PUMP-1", new { kind = "pump" });

        // Of two requests the newer one waits, and the older one is answered by that.
        Task<(DeviceAnswer Answer, IReadOnlyList<DeviceTask> Tasks)>[] requests = [pump.FetchAsync(30), pump.FetchAsync(30)];
        await Task.WhenAny(requests).WaitAsync(Soon);
        Assert.Equal(1, requests.Count(r => !r.IsCompleted));
        Assert.Equal(0, await site.Gateway.StopAsync());
        Assert.All(await Task.WhenAll(requests), r => Assert.Equal((200, 0), (r.Answer.Status, r.Tasks.Count)));
    }

    [Fact]
    public async Task A_stolen_device_that_is_locked_out_is_wiped_once_and_its_proof_is_kept_also_across_a_kill()
    {
        await using var site = await Site.StartAsync(settings: ["Detection:Templates:AcceptUnsigned=true"]);
        await site.AddFieldAsync("cars", forwarding: false);
        await BindAsync(site, "order-wipe", "two-persons");
        using var device = await site.ConnectAsync("cars", "CAR-1", new { kind = "drive-recorder" });
        using var second = await AdministratorAsync(site, "taro", "cars");
        (await site.Admin.PostAsync($"/api/v1/fields/cars/devices/{device.DeviceId}/commands", new { name = "open-doors" })).Expect();
        var lease = await site.ResponseAsync("cars", "order-wipe", l => l["state"]!.GetValue<string>() == "waiting-approval");
        var path = $"/api/v1/fields/cars/responses/{lease["id"]!.GetValue<string>()}";
        foreach (var person in (ManagementClient[])[site.Admin, second])
        {
            (await person.PostAsync(path + "/approve", new { reason = "it was stolen" })).Expect();
        }

        Assert.InRange((await site.Admin.PostAsync($"/api/v1/fields/cars/devices/{device.DeviceId}/state", new { state = "stray", reason = "stolen" })).Status, 200, 299);
        Assert.Equal(403, (await device.SendAsync("{}")).Status);
        var task = Assert.Single((await device.FetchAsync(30)).Tasks);
        Assert.Equal("wipe", task.Name);
        await site.RestartAsync();
        Assert.Equal(task.Id, Assert.Single((await device.FetchAsync()).Tasks).Id);
        Assert.Equal(200, (await device.AnswerAsync(task.Id, "done", """{"erased":"all"}""")).Status);
        lease = await site.ResponseAsync("cars", "order-wipe", l => l["state"]!.GetValue<string>() == "done");
        Assert.Equal("all", lease["deviceAnswer"]!["erased"]!.GetValue<string>());
        Assert.Empty((await device.FetchAsync()).Tasks);
        var history = (await site.Admin.GetAsync($"/api/v1/fields/cars/history?kind=command&device={device.DeviceId}")).Expect()["items"]!.AsArray();
        Assert.Equal(["wipe", "wipe", "wipe"], history.Where(h => h!["subject"]!.GetValue<string>() == task.Id).Select(h => h!["what"]!.GetValue<string>()));
    }

    private static async Task<ManagementClient> KeyAsync(Site site, string name, string[] scopes)
    {
        var made = (await site.Admin.PostAsync("/ops/v1/keys", new { name, roles = new[] { "administrator" }, fields = new[] { "ward" }, scopes })).Expect();
        return new ManagementClient(site.Gateway.Management, site.Gateway.CaFile) { Token = made["key"]!.GetValue<string>() };
    }

    private static async Task<ManagementClient> AdministratorAsync(Site site, string name, string field)
    {
        var made = (await site.Admin.PostAsync("/ops/v1/accounts", new { name, roles = new[] { "administrator" }, fields = new[] { field } })).Expect();
        var client = new ManagementClient(site.Gateway.Management, site.Gateway.CaFile);
        await client.SignInAsync(name, made["password"]!.GetValue<string>());
        Assert.InRange((await client.PutAsync("/api/v1/session/password", new { current = made["password"]!.GetValue<string>(), @new = Site.Password + name })).Status, 200, 299);
        await client.SignInAsync(name, Site.Password + name);
        return client;
    }

    private static async Task BindAsync(Site site, string action, string approval)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Site.Root, "templates", "car-mobility", "template.yaml"));
        text = text.Replace("id: car-mobility\n", "id: car-orders\n", StringComparison.Ordinal);
        text = text[..text.IndexOf("\nresponses:", StringComparison.Ordinal)] + $"\nresponses:\n  - {{ risk: takeover, level: information, action: {action}, approval: {approval} }}\n";
        using var content = new StringContent(text, Encoding.UTF8, new MediaTypeHeaderValue("application/yaml"));
        var taken = await site.Admin.SendAsync(HttpMethod.Post, "/api/v1/templates", content);
        Assert.True(taken.Status == 201, taken.Text);
        (await site.Admin.PutAsync("/api/v1/fields/cars/template", new { templateId = "car-orders", parameters = new { } })).Expect();
    }
}
