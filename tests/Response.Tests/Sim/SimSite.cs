using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Response.Leases;
using Sekisho.Response.Sim;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Verification.Carrier;

namespace Sekisho.Response.Tests.Sim;

/// <summary>The response stage beside a carrier on loopback. Device 1 has SIM 1, devices 2 and 3 share SIM 2.</summary>
internal sealed class SimSite : IAsyncDisposable
{
    public const string Device = "d000000000000001";
    public const string Sim = "8942310000000000011";
    public const string Shared = "8942310000000000022";

    private SimSite(TestHost host, SoracomServer carrier) => (Host, Carrier) = (host, carrier);

    public TestHost Host { get; }

    public SoracomServer Carrier { get; }

    public static async Task<SimSite> StartAsync(Dialect dialect = Dialect.Sqlite, (string, string?)[]? settings = null, string[]? actions = null, int? poll = null, string[]? forbidden = null)
    {
        var carrier = await SoracomServer.StartAsync();
        carrier.Add(new CarrierSim(Sim, "8981100000000000011", "440101234567811") { Address = "203.0.113.7" });
        carrier.Add(new CarrierSim(Shared, "8981100000000000022", "440101234567822") { Address = "203.0.113.8" });
        var host = await TestHost.StartAsync(dialect, [("Response:Sim:Carriers:0", carrier.Address), .. settings ?? []]);

        // Rounds are the tests' own: one that runs by itself would see the clock move while it asks.
        await host.Get<SimPoller>().StopAsync(default);
        var site = new SimSite(host, carrier);
        (await site.SetAsync(poll: poll, forbidden: forbidden)).EnsureSuccessStatusCode();
        (await site.LinkAsync(Device, "iccid", "8981100000000000011")).EnsureSuccessStatusCode();
        (await site.LinkAsync("d000000000000002", "imsi", "440101234567822")).EnsureSuccessStatusCode();
        (await site.LinkAsync("d000000000000003", "sim-id", Shared)).EnsureSuccessStatusCode();
        host.Bind([.. (actions ?? ["suspend-sim"]).Select(a => TestHost.Always(a))]);
        return site;
    }

    public HttpClient Admin(string field = "cars") => Host.Client(Roles.Administrator, field: field);

    public async Task<HttpResponseMessage> SetAsync(string field = "cars", int? poll = null, string[]? forbidden = null, object? secrets = null, string? baseUrl = null, int requests = 600)
    {
        using var client = Admin(field);
        return await client.PutAsJsonAsync($"/api/v1/fields/{field}/sim-provider", new
        {
            kind = "soracom",
            baseUrl = baseUrl ?? Carrier.Address,
            secrets = secrets ?? new { authKeyId = Carrier.AuthKeyId, authKey = Carrier.AuthKey },
            forbidden,
            pollMinutes = poll,
            requestsPerMinute = requests,
        });
    }

    public async Task<HttpResponseMessage> LinkAsync(string device, string kind, string value, string field = "cars")
    {
        using var client = Admin(field);
        return await client.PutAsJsonAsync($"/api/v1/fields/{field}/sims/{device}", new { kind, value });
    }

    public async Task<JsonNode> GetAsync(string path, string role = Roles.Administrator, string language = "en")
    {
        using var client = Host.Client(role);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
        return (await client.GetFromJsonAsync<JsonNode>("/api/v1/fields/cars" + path))!;
    }

    public async Task<Lease> UndoAsync(string id, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var client = Host.Client(Roles.Responder);
        var response = await client.PostAsync($"/api/v1/fields/cars/responses/{id}/undo", JsonContent.Create(new { reason = "the car was found" }));
        Assert.Equal(expected, response.StatusCode);
        return (await Host.Leases.FindAsync(id, default))!;
    }

    /// <summary>Commits a finding and does what is due.</summary>
    public async Task<IReadOnlyDictionary<string, Lease>> RespondAsync(string finding, string? device = Device, string risk = "theft")
    {
        Host.Commit(Host.Finding(finding, device, risk));
        await Host.Worker.DrainAsync();
        return (await Host.LeasesAsync()).Where(l => l.FindingId == finding).ToDictionary(l => l.Action);
    }

    /// <summary>Does what is due after some time.</summary>
    public async Task LaterAsync(TimeSpan time)
    {
        Host.Clock.Leap(time);
        await Host.Worker.DrainAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Carrier.DisposeAsync();
    }
}
