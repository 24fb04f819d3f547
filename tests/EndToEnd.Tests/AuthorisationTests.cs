using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>
/// Walks every route of the OpenAPI document as everybody who might try it. What each may do is stated here in the words of the roles, not read from the
/// routes: a route that lets in more, or a new route that fits no line, fails.
/// </summary>
[Collection("shared site")]
public class AuthorisationTests(SharedSite shared, ITestOutputHelper output)
{
    private const string Own = "walk-own";
    private const string Foreign = "walk-foreign";

    /// <summary>Routes that need no sign-in.</summary>
    private static readonly string[] Open = ["POST /api/v1/setup", "POST /api/v1/session", "GET /acknowledge", "POST /acknowledge", "GET /health/live", "GET /health/ready"];

    /// <summary>Routes that any signed-in person may use for the own session.</summary>
    private static readonly string[] Anybody = ["GET /api/v1/session", "DELETE /api/v1/session", "PUT /api/v1/session/password", "GET /api/v1/fields", "GET /openapi/v1.json"];

    [Fact]
    public async Task Every_route_lets_in_whom_it_should_and_nobody_else()
    {
        var site = shared.Site;
        await site.AddFieldAsync(Own, forwarding: false);
        await site.AddFieldAsync(Foreign, forwarding: false);
        using var device = await site.ConnectAsync(Own, "WALK-1");
        var callers = new Dictionary<string, ManagementClient>
        {
            ["nobody"] = new(site.Gateway.Management, site.Gateway.CaFile),
            ["device"] = new(site.Gateway.Management, site.Gateway.CaFile) { Token = device.Token },
            ["nonsense"] = new(site.Gateway.Management, site.Gateway.CaFile) { Token = "' OR 1=1 --" },
            ["foreign"] = await AccountAsync("walk-foreign-admin", ["administrator"], [Foreign]),
            ["maintainer"] = await AccountAsync("walk-maintainer", ["maintainer"], []),
            ["auditor"] = await AccountAsync("walk-auditor", ["auditor"], [Own]),
            ["responder"] = await AccountAsync("walk-responder", ["responder"], [Own]),
            ["administrator"] = await AccountAsync("walk-administrator", ["administrator"], [Own]),
            ["key"] = await KeyAsync(),
        };
        var routes = (await site.Admin.GetAsync("/openapi/v1.json")).Expect()["paths"]!.AsObject()
            .SelectMany(p => p.Value!.AsObject().Select(m => (Method: m.Key.ToUpperInvariant(), Path: p.Key)))
            .Where(r => !r.Path.StartsWith("/device/", StringComparison.Ordinal) && !r.Path.StartsWith("/sensor/", StringComparison.Ordinal)).ToList();
        var faults = new List<string>();
        var asked = 0;
        foreach (var (method, path) in routes)
        {
            foreach (var (caller, client) in callers)
            {
                // Signing out or changing the password would end the walk for that caller.
                if (path.StartsWith("/api/v1/session", StringComparison.Ordinal) && method != "GET" && caller is not ("nobody" or "device" or "nonsense"))
                {
                    continue;
                }

                // Who is let in meets things that do not exist, so that the walk changes nothing; who is to be refused meets a device that does,
                // so that a handler's "not found" is never taken for a refusal.
                var allowed = MayUse(caller, method, path);
                var answer = await client.SendAsync(new HttpMethod(method), Concrete(path, allowed ? "walk-nothing" : device.DeviceId!), method is "GET" or "DELETE" ? null : new StringContent("{}", System.Text.Encoding.UTF8, "application/json"));
                asked++;
                // Wrong credentials at the sign-in are an answer of the route itself.
                var turnedAway = answer.Status == 403 || (answer.Status == 401 && answer.Text.Contains("sign-in-needed", StringComparison.Ordinal));
                if (allowed ? turnedAway : answer.Status != Refusal(caller, path))
                {
                    faults.Add($"{caller} {method} {path}: {answer.Status}, should be {(allowed ? "let in" : "refused")} {answer.Text}");
                }
            }
        }

        Assert.Equal(202, (await device.SendAsync("{\"seq\":1}")).Status);

        output.WriteLine($"{routes.Count} routes, {asked} requests");
        Assert.Empty(faults);
        Assert.True(routes.Count > 40, $"only {routes.Count} routes in the document");
    }

    [Fact]
    public async Task A_device_of_another_field_cannot_be_reached_through_the_own_field()
    {
        var site = shared.Site;
        await site.AddFieldAsync("idor-own", forwarding: false);
        await site.AddFieldAsync("idor-foreign", forwarding: false);
        using var foreign = await site.ConnectAsync("idor-foreign", "IDOR-1");
        using var client = await AccountAsync("idor-administrator", ["administrator"], ["idor-own"]);
        var device = $"/api/v1/fields/idor-own/devices/{foreign.DeviceId}";
        Assert.Equal(404, (await client.GetAsync(device)).Status);
        Assert.Equal(404, (await client.GetAsync(device + "/traffic")).Status);
        Assert.Equal(404, (await client.GetAsync(device + "/thresholds")).Status);
        Assert.Equal(404, (await client.PutAsync(device, new { name = "mine", kind = "sensor", cadence = "irregular" })).Status);
        Assert.Equal(404, (await client.PostAsync(device + "/secret", null)).Status);
        Assert.Equal(404, (await client.PostAsync(device + "/state", new { state = "suspended", reason = "mine now" })).Status);
        Assert.Equal(404, (await client.PostAsync(device + "/retire", new { reason = "mine now" })).Status);
        Assert.Equal(404, (await client.DeleteAsync(device)).Status);
        Assert.Equal(404, (await client.GetAsync(device + "/commands")).Status);
        Assert.Equal(404, (await client.PostAsync(device + "/commands", new { name = "open" })).Status);
        Assert.Equal(202, (await foreign.SendAsync("{\"seq\":1}")).Status);
        Assert.Empty((await client.GetAsync($"/api/v1/fields/idor-own/history?device={foreign.DeviceId}")).Expect()["items"]!.AsArray());
        Assert.Empty((await client.GetAsync($"/api/v1/fields/idor-own/messages?device={foreign.DeviceId}")).Expect()["items"]!.AsArray());
    }

    [Fact]
    public async Task The_document_says_how_to_sign_in_and_which_routes_need_it()
    {
        var document = (await shared.Site.Admin.GetAsync("/openapi/v1.json")).Expect();
        Assert.Equal("Sekisho", document["info"]!["title"]!.GetValue<string>());
        Assert.Equal("bearer", document["components"]!["securitySchemes"]!["bearer"]!["scheme"]!.GetValue<string>());
        var secured = document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject().Select(m => (Route: $"{m.Key.ToUpperInvariant()} {p.Key}", Secured: m.Value!["security"] is not null))).ToArray();
        string[] unsecured = ["POST /device/v1/token", "GET /sensor/v1/authority", "POST /sensor/v1/enrol", .. Open];
        Assert.Equal(unsecured, secured.Where(r => !r.Secured).Select(r => r.Route).OrderBy(r => Array.IndexOf(unsecured, r)));
    }

    [Fact]
    public async Task Every_answer_of_the_management_port_carries_the_security_headers_also_when_the_request_is_at_fault()
    {
        using var http = new HttpClient(TrustedHttp.Handler(shared.Site.Gateway.CaFile));
        foreach (var (path, body, status) in ((string, string?, int)[])[("/health/live", null, 200), ("/ops/v1/stages", null, 401), ("/nothing", null, 404), ("/api/v1/session", "{\"name\":", 400)])
        {
            using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, new Uri(shared.Site.Gateway.Management, path));
            request.Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var answer = await http.SendAsync(request);
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
            foreach (var header in (string[])["X-Content-Type-Options", "Strict-Transport-Security", "Content-Security-Policy"])
            {
                Assert.True(answer.Headers.Contains(header), $"{path} lacks {header}");
            }
        }
    }

    [Fact]
    public async Task The_device_port_serves_devices_only_and_the_management_port_none_whatever_the_host_header_says()
    {
        var site = shared.Site;
        using var onDevicePort = new ManagementClient(site.Gateway.Devices, site.Gateway.CaFile) { Token = site.Admin.Token };
        Assert.Equal(404, (await onDevicePort.GetAsync("/ops/v1/stages")).Status);
        Assert.Equal(404, (await onDevicePort.GetAsync("/health/live")).Status);
        Assert.Equal(404, (await onDevicePort.GetAsync("/openapi/v1.json")).Status);
        Assert.Equal(404, (await site.Admin.PostAsync("/device/v1/token", new { })).Status);
        Assert.Equal(404, (await site.Admin.PostAsync("/device/v1/messages", new { })).Status);
    }

    [Fact]
    public async Task A_new_account_can_do_nothing_before_it_has_a_password_of_its_own()
    {
        var site = shared.Site;
        var made = (await site.Admin.PostAsync("/ops/v1/accounts", new { name = "walk-new", roles = new[] { "maintainer" }, fields = Array.Empty<string>() })).Expect();
        using var client = new ManagementClient(site.Gateway.Management, site.Gateway.CaFile);
        await client.SignInAsync("walk-new", made["password"]!.GetValue<string>());
        var refused = await client.GetAsync("/ops/v1/stages");
        Assert.Equal(403, refused.Status);
        Assert.Equal("urn:sekisho:problem:password-unset", refused.Body!["type"]!.GetValue<string>());
    }

    private static bool MayUse(string caller, string method, string path)
    {
        var route = $"{method} {path}";
        if (Open.Contains(route))
        {
            return true;
        }

        if (caller is "nobody" or "device" or "nonsense")
        {
            return false;
        }

        if (Anybody.Contains(route) && caller != "key")
        {
            return true;
        }

        if (path.StartsWith("/ops/v1/", StringComparison.Ordinal) || path == "/metrics")
        {
            return caller == "maintainer";
        }

        if (path.StartsWith("/api/v1/template", StringComparison.Ordinal))
        {
            return caller is "administrator" or "foreign" || (method == "GET" && caller is ("responder" or "auditor"));
        }

        if (!path.StartsWith("/api/v1/fields/{fieldId}", StringComparison.Ordinal))
        {
            return false;
        }

        // A search and a preview ask with a body, and read all the same.
        var reads = method == "GET" || path.EndsWith("/devices/search", StringComparison.Ordinal) || path.EndsWith("/exceptions/preview", StringComparison.Ordinal);
        // Whoever handles detections also reports what the carrier says of a SIM, and what a SOC made of them.
        var handling = path.Contains("/detections", StringComparison.Ordinal) || path.Contains("/responses", StringComparison.Ordinal) || path.EndsWith("/response-rules/dry-run", StringComparison.Ordinal)
            || path.Contains("/incidents", StringComparison.Ordinal) || path.EndsWith("/sim-facts", StringComparison.Ordinal) || path.EndsWith("/soc/status", StringComparison.Ordinal);
        // Whoever handles responses decides on held commands; sending and taking back is the administrator's.
        handling |= path.EndsWith("/commands/{commandId}/release", StringComparison.Ordinal) || path.EndsWith("/commands/{commandId}/refuse", StringComparison.Ordinal);
        return caller switch
        {
            "administrator" => true,
            "responder" => reads || handling,
            "auditor" => reads,
            "key" => reads && path.Contains("/devices", StringComparison.Ordinal) && !path.Contains("/sensors/", StringComparison.Ordinal) && !path.EndsWith("/commands", StringComparison.Ordinal) && !path.EndsWith("/traffic", StringComparison.Ordinal) && !path.EndsWith("/thresholds", StringComparison.Ordinal),
            _ => false,
        };
    }

    // A field that one may not see does not exist; apart from that "no" is 403 for the known and 401 for the unknown.
    private static int Refusal(string caller, string path) => caller switch
    {
        "nobody" or "device" or "nonsense" => 401,
        "foreign" when path.StartsWith("/api/v1/fields/{fieldId}", StringComparison.Ordinal) => 404,
        _ => 403,
    };

    private static string Concrete(string path, string thing)
    {
        var concrete = path.Replace("{fieldId}", Own, StringComparison.Ordinal);
        while (concrete.IndexOf('{', StringComparison.Ordinal) is >= 0 and var at)
        {
            concrete = concrete[..at] + thing + concrete[(concrete.IndexOf('}', StringComparison.Ordinal) + 1)..];
        }

        return concrete;
    }

    private async Task<ManagementClient> AccountAsync(string name, string[] roles, string[] fields)
    {
        var site = shared.Site;
        var made = (await site.Admin.PostAsync("/ops/v1/accounts", new { name, roles, fields })).Expect();
        var oneTime = made["password"]!.GetValue<string>();
        var client = new ManagementClient(site.Gateway.Management, site.Gateway.CaFile);
        await client.SignInAsync(name, oneTime);
        Assert.InRange((await client.PutAsync("/api/v1/session/password", new { current = oneTime, @new = Site.Password + name })).Status, 200, 299);
        await client.SignInAsync(name, Site.Password + name);
        return client;
    }

    private async Task<ManagementClient> KeyAsync()
    {
        var made = (await shared.Site.Admin.PostAsync("/ops/v1/keys", new { name = "walk-key", roles = new[] { "administrator" }, fields = new[] { Own }, scopes = new[] { "devices:read" } })).Expect();
        return new ManagementClient(shared.Site.Gateway.Management, shared.Site.Gateway.CaFile) { Token = made["key"]!.GetValue<string>() };
    }
}
