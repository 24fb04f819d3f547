using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Sekisho.Verification.Tests;

public class SimulatedDeviceTests
{
    private static readonly DeviceCredential Credential = new("common", "secret", "490154203237518");
    private static readonly DevicePatience Quick = new() { Attempts = 5, Pause = TimeSpan.FromMilliseconds(5), LongestPause = TimeSpan.FromMilliseconds(20) };

    [Fact]
    public async Task It_authenticates_with_three_elements_and_sends_with_its_token()
    {
        var bodies = new List<string>();
        await using var gateway = await GatewayStandIn.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            bodies.Add($"{context.Request.Method} {context.Request.Path} {context.Request.Headers.Authorization} {context.Request.Headers["Sekisho-Device"]} {await reader.ReadToEndAsync()}");
            await AnswerAsync(context, accepted: 2);
        });
        using var device = new SimulatedDevice(gateway.Address, gateway.CaPem, Credential, Quick);

        Assert.True((await device.AuthenticateAsync()).Authenticated);
        var outcome = await device.SendAsync("""[{"seq":1},{"seq":2}]""");

        Assert.Equal(new SendOutcome(202, 2, null, 1), outcome);
        Assert.Equal(2, device.Acknowledged);
        Assert.Equal("d1", device.DeviceId);
        Assert.Equal(
            ["""POST /device/v1/token   {"commonAuthId":"common","authSecret":"secret","uniqueId":"490154203237518"}""", """POST /device/v1/messages Bearer t1 d1 [{"seq":1},{"seq":2}]"""],
            bodies);
    }

    [Fact]
    public async Task A_refused_token_is_renewed_once_and_the_message_sent_again()
    {
        var tokens = 0;
        await using var gateway = await GatewayStandIn.StartAsync(context =>
        {
            if (context.Request.Path == "/device/v1/token")
            {
                return AnswerAsync(context, 1, "t" + ++tokens);
            }

            return context.Request.Headers.Authorization == "Bearer t2" ? AnswerAsync(context, 1) : RefuseAsync(context, 401, "expired-token");
        });
        using var device = new SimulatedDevice(gateway.Address, gateway.CaPem, Credential, Quick);
        await device.AuthenticateAsync();

        Assert.Equal(new SendOutcome(202, 1, null, 2), await device.SendAsync("{}"));

        device.Token = "foreign";
        tokens = 5;
        var refused = await device.SendAsync("{}");
        Assert.Equal(401, refused.Status);
        Assert.Equal("urn:sekisho:problem:expired-token", refused.ProblemType);
        Assert.Equal(2, refused.Attempts);
        Assert.Equal(1, device.Acknowledged);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task It_waits_as_told_and_tries_again_but_not_for_ever(int status)
    {
        var refusals = 3;
        await using var gateway = await GatewayStandIn.StartAsync(context =>
        {
            if (refusals-- > 0)
            {
                context.Response.Headers.RetryAfter = "1";
                return RefuseAsync(context, status, "too-many");
            }

            return AnswerAsync(context, 1);
        });
        using var device = new SimulatedDevice(gateway.Address, gateway.CaPem, Credential, Quick);

        Assert.Equal(new SendOutcome(202, 1, null, 4), await device.SendAsync("{}"));
        refusals = 100;
        Assert.Equal(new SendOutcome(status, 0, "urn:sekisho:problem:too-many", 5), await device.SendAsync("{}"));
    }

    [Fact]
    public async Task A_cut_connection_is_tried_again_and_a_dead_gateway_gives_status_0()
    {
        var cuts = 2;
        await using var gateway = await GatewayStandIn.StartAsync(context =>
        {
            if (cuts-- > 0)
            {
                context.Abort();
                return Task.CompletedTask;
            }

            return AnswerAsync(context, 1);
        });
        using var device = new SimulatedDevice(gateway.Address, gateway.CaPem, Credential, Quick);
        Assert.Equal(202, (await device.SendAsync("{}")).Status);

        await gateway.DisposeAsync();
        var outcome = await device.SendAsync("{}");
        Assert.Equal(new SendOutcome(0, 0, null, 5), outcome);
        Assert.False(outcome.Acknowledged);
    }

    [Fact]
    public async Task Another_ca_is_not_trusted()
    {
        await using var gateway = await GatewayStandIn.StartAsync(context => AnswerAsync(context, 1));
        using var other = new ReceiverCertificate();
        using var device = new SimulatedDevice(gateway.Address, other.CaPem, Credential, DevicePatience.None);
        Assert.Equal(0, (await device.AuthenticateAsync()).Status);
    }

    [Fact]
    public async Task The_management_client_carries_token_language_and_json()
    {
        await using var gateway = await GatewayStandIn.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            context.Response.StatusCode = context.Request.Method == "DELETE" ? 204 : 201;
            if (context.Response.StatusCode != 204)
            {
                await context.Response.WriteAsJsonAsync(new
                {
                    seen = $"{context.Request.Method} {context.Request.Path} {context.Request.Headers.Authorization} {context.Request.Headers.AcceptLanguage} {await reader.ReadToEndAsync()}",
                });
            }
        });
        using var client = new ManagementClient(gateway.Address, gateway.CaPem, "key") { Language = "ja" };

        Assert.Equal("""PUT /api/v1/x Bearer key ja {"a":1}""", (string)(await client.PutAsync("/api/v1/x", new JsonObject { ["a"] = 1 })).Expect()!["seen"]!);
        Assert.Equal("POST /ops/v1/y Bearer key ja ", (string)(await client.PostAsync("ops/v1/y")).Body!["seen"]!);
        Assert.Equal(new ManagementAnswer(204, null), await client.DeleteAsync("/api/v1/x"));
    }

    private static Task AnswerAsync(HttpContext context, int accepted, string token = "t1")
    {
        if (context.Request.Path == "/device/v1/token")
        {
            return context.Response.WriteAsJsonAsync(new { deviceId = "d1", token, expiresAt = "2026-04-01T09:00:00+09:00" });
        }

        context.Response.StatusCode = 202;
        return context.Response.WriteAsJsonAsync(new { accepted });
    }

    private static Task RefuseAsync(HttpContext context, int status, string slug)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { type = "urn:sekisho:problem:" + slug });
    }
}
