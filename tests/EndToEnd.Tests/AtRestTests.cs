using System.Text;

namespace Sekisho.EndToEnd.Tests;

/// <summary>Whoever copies the data folder, or reads the logs, learns nothing.</summary>
public class AtRestTests
{
    private const string PayloadMarker = "MARKER-payload-7f3a9c";
    private const string UniqueIdMarker = "MARKERSERIAL51d2";
    private const string AddressMarker = "marker.person@example.invalid";
    private const string PasswordMarker = "marker password 4711 long";

    [Fact]
    public async Task No_marker_of_a_payload_secret_token_or_unique_id_stands_in_any_file_or_line_of_output()
    {
        await using var site = await Site.StartAsync(settings: ["Operations:Logging:Level=Trace"]);
        await site.AddFieldAsync("rest", "smart-home");
        var notification = (await site.Admin.PutAsync("/api/v1/fields/rest/notification", new
        {
            recipients = new[] { new { role = "administrator", address = AddressMarker } },
            webhook = new { url = "https://localhost:1/hook" },
        })).Expect();
        var key = (await site.Admin.PostAsync("/ops/v1/keys", new { name = "reader", roles = new[] { "administrator" }, fields = new[] { "rest" }, scopes = new[] { "devices:read" } })).Expect();
        var account = (await site.Admin.PostAsync("/ops/v1/accounts", new { name = "taro", roles = new[] { "administrator" }, fields = new[] { "rest" } })).Expect();
        await site.Admin.PostAsync("/api/v1/session", new { name = "taro", password = PasswordMarker });
        using var device = await site.ConnectAsync("rest", UniqueIdMarker);
        await device.SendAsync($$"""{"seq":1,"note":"{{PayloadMarker}}"}""");
        await device.SendAsync($$"""{"seq":2,"note":"{{PayloadMarker}}", broken""");
        for (var i = 3; i < 60; i++)
        {
            await device.SendAsync($$"""{"seq":{{i}},"note":"{{PayloadMarker}}"}""");
        }

        var wrong = new Verification.Clients.SimulatedDevice(site.Gateway.Devices, site.Gateway.CaFile, device.Credential with { AuthSecret = "wrong-" + PayloadMarker }, TimeProvider.System);
        await wrong.AuthenticateAsync();
        // What a device is asked to do, and what it answers, are payload as well.
        (await site.Admin.PutAsync("/api/v1/fields/rest/command-list", new { commands = new object[] { new { name = "note", otherArguments = true } } })).Expect();
        foreach (var name in (string[])["note", "other"])
        {
            (await site.Admin.PostAsync($"/api/v1/fields/rest/devices/{device.DeviceId}/commands", new { name, arguments = new { text = PayloadMarker } })).Expect();
        }

        var task = Assert.Single((await device.FetchAsync()).Tasks);
        Assert.Equal(200, (await device.AnswerAsync(task.Id, "done", $"\"{PayloadMarker}\"")).Status);
        await device.SendAsync($$"""{"seq":60,"mode":"{{PayloadMarker}}"}""");
        await Site.UntilAsync(async () => (await site.Admin.GetAsync("/api/v1/fields/rest/messages")).Expect().ToJsonString(), t => t.Contains(PayloadMarker, StringComparison.Ordinal), TimeSpan.FromSeconds(20), "the messages are not kept");
        string[] markers =
        [
            PayloadMarker, UniqueIdMarker, AddressMarker, notification["webhook"]!["secret"]!.GetValue<string>(), PasswordMarker, Site.Password,
            device.Token!, device.Credential.AuthSecret, site.Admin.Token!, account["password"]!.GetValue<string>(), key["key"]!.GetValue<string>(), site.Cloud.Secret!,
        ];
        await LookAsync(site, markers, "while running");
        await site.Gateway.StopAsync();
        await LookAsync(site, markers, "after the stop");
    }

    [Fact]
    public async Task The_audit_verifier_notices_nothing_on_an_untouched_log_and_says_so()
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("chain", forwarding: false);
        var verdict = (await site.Admin.GetAsync("/ops/v1/audit/verification")).Expect();
        Assert.True(verdict["intact"]!.GetValue<bool>());
        await site.Gateway.StopAsync();
        using var offline = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dotnet", [.. Site.Command.Skip(1), "audit-verify", "--data", site.DataFolder]) { RedirectStandardOutput = true })!;
        var text = await offline.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(1));
        await offline.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(0, offline.ExitCode);
        Assert.NotEmpty(text);
    }

    /// <summary>No file of the data folder and no line of the output holds one of the markers.</summary>
    internal static async Task LookAsync(Site site, string[] markers, string when)
    {
        var files = Directory.GetFiles(site.DataFolder, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock").ToArray();
        Assert.Contains(files, f => f.EndsWith("state.db", StringComparison.Ordinal));
        foreach (var file in files)
        {
            byte[] bytes;
            await using (var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
            {
                bytes = new byte[stream.Length];
                await stream.ReadExactlyAsync(bytes);
            }

            foreach (var marker in markers)
            {
                Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(marker)) < 0, $"{Path.GetFileName(file)} holds {marker} in clear {when}");
                Assert.True(bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(marker)) < 0, $"{Path.GetFileName(file)} holds {marker} in clear (UTF-16) {when}");
            }
        }

        foreach (var marker in markers)
        {
            Assert.False(site.Gateway.Output.Contains(marker, StringComparison.Ordinal), $"the output holds {marker} {when}");
        }
    }
}
