using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Scripts;

/// <summary>A field whose detections are answered by a response script.</summary>
internal static class ScriptSite
{
    public const string Scripts = "/api/v1/fields/cars/response-scripts";

    /// <summary>A script with this body of its function; the detection is "d".</summary>
    public static string Script(string body) => "return { manifest = { title = { ja = \"試験\", en = \"Test\" } }, respond = function(d)\n" + body + "\nend }";

    /// <summary>The rule that runs a script about everything.</summary>
    public static ResponseBinding Runs(string name = "night", string approval = "automatic") => new("*", Levels.Information, "run-script", null, approval) { Script = name };

    /// <summary>A host with a script that is active, and a rule that runs it.</summary>
    public static async Task<TestHost> StartAsync(string body, Dialect dialect = Dialect.Sqlite, params (string, string?)[] settings)
    {
        var host = await TestHost.StartAsync(dialect, settings);
        await host.PutInForceAsync("night", Script(body));
        host.Bind(Runs());
        return host;
    }

    /// <summary>Takes a script in and puts it in force untried.</summary>
    public static async Task PutInForceAsync(this TestHost host, string name, string source, string state = "active")
    {
        using var client = host.Client(Roles.Administrator, "hanako");
        await client.AskAsync($"{name}/versions", new { source, why = "test" }, HttpStatusCode.Created);
        await client.AskAsync($"{name}/activate", new { state, why = "test", withoutTrial = "nothing has happened yet" });
    }

    /// <summary>Posts to a script's route.</summary>
    public static async Task<JsonElement> AskAsync(this HttpClient client, string path, object body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var answer = await client.PostAsJsonAsync($"{Scripts}/{path}", body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{answer.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Runs what is due, and what that orders.</summary>
    public static async Task DrainAllAsync(this TestHost host)
    {
        await host.Worker.DrainAsync();
        await host.Worker.DrainAsync();
    }

    /// <summary>The lease that ran the script.</summary>
    public static async Task<Lease> RunOfAsync(this TestHost host, string finding) => (await host.LeasesAsync()).Single(l => l.Action == "run-script" && l.FindingId == finding);

    /// <summary>What was ordered about a finding, by action.</summary>
    public static async Task<IReadOnlyDictionary<string, Lease>> OrdersOfAsync(this TestHost host, string finding) =>
        (await host.LeasesAsync()).Where(l => l.FindingId == finding && l.Action != "run-script").ToDictionary(l => l.Action);

    /// <summary>A device sends in a mode.</summary>
    public static void Say(this TestHost host, string device, string mode)
    {
        var message = new MessageEvent
        {
            ArrivedAt = host.Time.GetUtcNow(),
            CorrelationId = "",
            FieldId = "cars",
            DeviceId = device,
            Epoch = 1,
            Mode = mode,
            Source = "",
            Size = 2,
            Payload = "{}"u8.ToArray(),
            MessageId = new string('0', 32),
        };
        host.Get<DeviceModes>().Committed(new LaneBatch { FirstPosition = 7, LastPosition = 7, Chunks = [new MessageChunk("cars", Backlog: false, [message])], Duplicates = [], Findings = [], Facts = [] });
    }

    /// <summary>The last runs that were kept.</summary>
    public static async Task<IReadOnlyList<JsonElement>> RunsAsync(this HttpClient client, string name = "night") =>
        [.. (await client.GetFromJsonAsync<JsonElement>($"{Scripts}/{name}/runs")).GetProperty("items").EnumerateArray()];
}
