namespace Sekisho.Verification.Tests;

/// <summary>Against a shell script in place of the gateway: what is tested is the handling of the process.</summary>
public sealed class GatewayProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-process-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_gets_its_arguments_and_environment_and_its_output_is_kept()
    {
        await using var gateway = Run("echo \"$@ $COLOUR\"; echo problem >&2; exit 3");
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => gateway.WaitReadyAsync(TimeSpan.FromSeconds(20)));
        await Deadline.UntilAsync(() => Task.FromResult(gateway.Output.Count == 2), TimeSpan.FromSeconds(20), "both lines", TimeProvider.System);
        Assert.Contains($"dotnet Sekisho.Gateway.dll up --data {_folder} --port 1 --management-port 2 --demo red", gateway.Output);
        Assert.Contains("problem", gateway.Output);
        Assert.Contains("ended with 3", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, gateway.ExitCode);
    }

    [Fact]
    public async Task Sigterm_lets_it_finish_and_sigkill_does_not()
    {
        const string Script = "trap 'echo drained; exit 0' TERM; echo up; while true; do sleep 0.1; done";
        await using var polite = Run(Script);
        await UpAsync(polite);
        Assert.Null(polite.ExitCode);
        Assert.Equal(0, await polite.StopAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains("drained", polite.Output);

        await using var hard = Run(Script);
        await UpAsync(hard);
        await hard.KillHardAsync();
        Assert.Equal(137, hard.ExitCode);
        Assert.DoesNotContain("drained", hard.Output);

        static Task UpAsync(GatewayProcess process) => Deadline.UntilAsync(() => Task.FromResult(process.Output.Contains("up")), TimeSpan.FromSeconds(20), "the script", TimeProvider.System);
    }

    [Fact]
    public async Task It_is_ready_when_its_management_port_answers_under_its_ca()
    {
        var live = false;
        await using var standIn = await GatewayStandIn.StartAsync(context =>
        {
            context.Response.StatusCode = live && context.Request.Path == "/health/live" ? 200 : 503;
            return Task.CompletedTask;
        });
        await using var gateway = Run("while true; do sleep 0.1; done", standIn.Port);
        await Assert.ThrowsAsync<TimeoutException>(() => gateway.WaitReadyAsync(TimeSpan.FromMilliseconds(200)));
        await File.WriteAllTextAsync(Path.Combine(_folder, "ca.pem"), standIn.CaPem);
        live = true;
        await gateway.WaitReadyAsync(TimeSpan.FromSeconds(20));
    }

    private GatewayProcess Run(string script, int managementPort = 2) => GatewayProcess.Start(new GatewayStart
    {
        Program = "Sekisho.Gateway.dll",
        DataFolder = _folder,
        Port = 1,
        ManagementPort = managementPort,
        Arguments = ["--demo"],
        Environment = new Dictionary<string, string?> { ["COLOUR"] = "red" },
        Wrapper = ["bash", "-c", script, "bash"],
    });
}
