namespace Sekisho.Operations.Tests;

public class HealthTests
{
    [Fact]
    public async Task Ready_says_no_while_a_stage_cannot_work_and_tells_the_reason_to_maintainers_only()
    {
        var (host, token) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        (await host.SendAsync("GET", "/health/ready")).Expect(200);
        host.Stage.Status = host.Stage.Status with { Healthy = false, Fault = "disk full" };
        (await host.SendAsync("GET", "/health/live")).Expect(200);

        var stranger = (await host.SendAsync("GET", "/health/ready")).Expect(503);
        Assert.Equal("""{"ready":false,"stages":null}""", stranger.ToJsonString());
        var auditor = await host.AddAccountAsync(token, "taro", ["administrator"], ["*"]);
        Assert.Null((await host.SendAsync("GET", "/health/ready", token: auditor)).Expect(503)["stages"]);

        var stage = (await host.SendAsync("GET", "/health/ready", token: token)).Expect(503)["stages"]![0]!;
        Assert.Equal("""{"name":"detection","healthy":false,"paused":false,"waiting":3,"lagSeconds":1.5,"fault":"disk full"}""", stage.ToJsonString());
    }

    [Fact]
    public async Task A_stage_is_held_and_let_go_on_and_both_are_recorded()
    {
        var (host, token) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        Assert.True((await host.SendAsync("POST", "/ops/v1/stages/detection/pause", token: token)).Expect(200)["paused"]!.GetValue<bool>());
        Assert.True(host.Stage.Status.Paused);
        (await host.SendAsync("GET", "/health/ready")).Expect(200);
        Assert.False((await host.SendAsync("POST", "/ops/v1/stages/detection/resume", token: token)).Expect(200)["paused"]!.GetValue<bool>());
        (await host.SendAsync("POST", "/ops/v1/stages/nothing/pause", token: token)).ExpectProblem(404, "not-found");
        Assert.Equal(
            ["stage.pause asked", "stage.resume asked", "stage.pause asked", "stage.pause failed"],
            host.History.Records.Where(r => r.What.StartsWith("stage.", StringComparison.Ordinal)).Select(r => $"{r.What} {(r.Details!.Contains("failed", StringComparison.Ordinal) ? "failed" : "asked")}"));
        Assert.Contains("Gateway:Thing", (await host.SendAsync("GET", "/ops/v1/settings", token: token)).Text, StringComparison.Ordinal);
    }
}
