using Sekisho.Tests.Support;

namespace Sekisho.Api.Tests;

public class RouteAccessTests
{
    private const string Administrator = "name=hanako;holder=person;role=administrator;field=cars";
    private const string Maintainer = "name=jiro;holder=person;role=maintainer";

    [Theory]
    [InlineData("GET", "/api/v1/fields/cars/things", null, 401, "sign-in-needed")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=person;role=administrator;field=cars", 200, "")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=person;role=responder;field=*", 200, "")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=person;role=auditor;field=cars", 200, "")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=person;role=auditor;field=homes", 404, "not-found")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=person;role=auditor", 404, "not-found")]
    [InlineData("GET", "/api/v1/fields/CARS/things", "holder=person;role=auditor;field=cars", 404, "not-found")]
    [InlineData("GET", "/api/v1/fields/nowhere/things", "holder=person;role=auditor;field=*", 404, "not-found")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=person;role=maintainer;field=*", 403, "forbidden")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=person;field=*", 403, "forbidden")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=key;role=auditor;field=cars;scope=devices:read", 200, "")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=key;role=auditor;field=cars;scope=devices:write", 403, "scope-missing")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=key;role=auditor;field=cars", 403, "scope-missing")]
    [InlineData("GET", "/api/v1/fields/homes/things", "holder=key;role=auditor;field=cars;scope=devices:read", 404, "not-found")]
    [InlineData("POST", "/api/v1/fields/cars/things/1", "holder=person;role=auditor;field=cars", 403, "forbidden")]
    [InlineData("POST", "/api/v1/fields/cars/things/1", "holder=person;role=responder;field=cars", 403, "forbidden")]
    [InlineData("POST", "/api/v1/fields/cars/things/1", "holder=key;role=administrator;field=cars;scope=devices:read", 403, "scope-missing")]
    [InlineData("POST", "/api/v1/fields/cars/things/1", "holder=key;role=administrator;field=cars;scope=devices:write", 204, "")]
    [InlineData("POST", "/api/v1/fields/cars/answers", "holder=person;role=responder;field=cars", 204, "")]
    [InlineData("POST", "/api/v1/fields/cars/answers", "holder=person;role=auditor;field=cars", 403, "forbidden")]
    [InlineData("GET", "/api/v1/me", "holder=person;role=auditor", 200, "")]
    [InlineData("GET", "/api/v1/me", "holder=person", 200, "")]
    [InlineData("GET", "/api/v1/me", "holder=key;role=auditor;scope=devices:read", 403, "scope-missing")]
    [InlineData("GET", "/api/v1/me", "holder=person;role=auditor;must-set-password=true", 200, "")]
    [InlineData("GET", "/api/v1/fields/cars/things", "holder=person;role=auditor;field=cars;must-set-password=true", 403, "password-unset")]
    [InlineData("POST", "/api/v1/open", null, 204, "")]
    [InlineData("POST", "/api/v1/open", "holder=person;must-set-password=true", 204, "")]
    [InlineData("GET", "/ops/v1/state", "holder=person;role=maintainer", 200, "")]
    [InlineData("GET", "/ops/v1/state", "holder=person;role=administrator;field=*", 403, "forbidden")]
    [InlineData("PUT", "/ops/v1/fields/homes", "holder=person;role=maintainer", 200, "")]
    [InlineData("PUT", "/ops/v1/fields/nowhere", "holder=person;role=maintainer", 404, "not-found")]
    [InlineData("GET", "/undeclared", "holder=person;role=maintainer;role=administrator;field=*", 403, "forbidden")]
    [InlineData("GET", "/undeclared", null, 401, "sign-in-needed")]
    [InlineData("GET", "/nothing/here", "holder=person;role=maintainer", 404, "not-found")]
    [InlineData("GET", "/api/v1/fields/cars/things/", "holder=person;role=auditor;field=homes", 404, "not-found")]
    [InlineData("GET", "/api/v1/fields/cars%2f..%2fhomes/things", "holder=person;role=auditor;field=homes", 404, "not-found")]
    public async Task A_route_opens_to_whom_it_declares_and_to_nobody_else(string method, string path, string? token, int status, string problem)
    {
        await using var host = await ApiHost.StartAsync();
        var answer = await host.SendAsync(method, path, token);
        Assert.Equal((status, problem), (answer.Status, answer.Problem));
    }

    [Fact]
    public async Task The_local_port_decides_which_listener_it_is_whatever_the_host_header_says()
    {
        await using var host = await ApiHost.StartAsync();
        var forgedManagement = ("Host", $"127.0.0.1:{host.ManagementPort}");
        var forgedDevice = ("Host", $"127.0.0.1:{host.DevicePort}");
        Assert.Equal(200, (await host.SendAsync("GET", "/device/v1/hello", onDevicePort: true)).Status);
        Assert.Equal(404, (await host.SendAsync("GET", "/device/v1/hello")).Status);
        Assert.Equal(404, (await host.SendAsync("GET", "/device/v1/hello", headers: forgedDevice)).Status);
        foreach (var path in (string[])["/ops/v1/state", "/api/v1/fields/cars/things", "/api/v1/me", "/busy", "/undeclared"])
        {
            Assert.Equal(404, (await host.SendAsync("GET", path, Maintainer + ";role=auditor;field=*", onDevicePort: true)).Status);
            Assert.Equal(404, (await host.SendAsync("GET", path, Maintainer + ";role=auditor;field=*", onDevicePort: true, headers: [forgedManagement, ("X-Forwarded-Port", $"{host.ManagementPort}")])).Status);
        }
    }

    [Fact]
    public async Task A_change_is_recorded_before_it_runs_and_again_when_it_did_not_happen()
    {
        await using var host = await ApiHost.StartAsync();
        await host.SendAsync("POST", "/api/v1/fields/cars/things/good", Administrator);
        await host.SendAsync("POST", "/api/v1/fields/cars/things/bad", Administrator);
        await host.SendAsync("POST", "/api/v1/fields/homes/things/good", Administrator);
        await host.SendAsync("POST", "/api/v1/fields/cars/throws", Administrator);
        await host.SendAsync("GET", "/api/v1/fields/cars/things", Administrator);
        Assert.Equal(
            [
                "hanako thing.add cars [id=good] asked",
                "hanako thing.add cars [id=bad] asked",
                "hanako thing.add cars [id=bad] failed",
                "hanako thing.add homes [id=good] refused",
                "hanako thing.throw cars [] asked",
                "hanako thing.throw cars [] failed",
            ],
            host.Audit.Lines);
    }

    [Fact]
    public async Task A_change_whose_caller_went_away_is_not_recorded_as_one_that_did_not_happen()
    {
        await using var host = await ApiHost.StartAsync();
        using var gone = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{host.ManagementPort}/api/v1/fields/cars/waits");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Administrator);
        var sent = host.Http.SendAsync(request, gone.Token);
        await Until.TrueAsync(() => host.Audit.Lines.Any(), "the change does not begin");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
        await Until.TrueAsync(() => host.Audit.Lines.Count() == 2, "its end is not recorded");
        Assert.Equal(["hanako thing.wait cars [] asked", "hanako thing.wait cars [] broken-off"], host.Audit.Lines);
    }

    [Fact]
    public async Task Who_is_not_signed_in_cannot_fill_the_audit()
    {
        await using var host = await ApiHost.StartAsync();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, (await host.SendAsync("POST", "/api/v1/fields/cars/things/1")).Status);
        }

        Assert.Empty(host.Audit.Lines);
    }

    [Fact]
    public async Task Nothing_is_changed_that_cannot_be_recorded()
    {
        await using var host = await ApiHost.StartAsync();
        host.Audit.Broken = true;
        Assert.Equal(500, (await host.SendAsync("POST", "/api/v1/fields/cars/things/good", Administrator)).Status);
    }

    [Fact]
    public async Task The_audit_carries_the_correlation_id_that_the_caller_gave()
    {
        await using var host = await ApiHost.StartAsync();
        const string Id = "4bf92f3577b34da6a3ce929d0e0e4736";
        await host.SendAsync("POST", "/api/v1/fields/cars/things/good", Administrator, headers: ("traceparent", $"00-{Id}-00f067aa0ba902b7-01"));
        Assert.Equal(Id, host.Audit.Actions.Single().CorrelationId);
    }
}
