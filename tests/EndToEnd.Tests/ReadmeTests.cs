using System.Diagnostics;
using System.Globalization;

namespace Sekisho.EndToEnd.Tests;

/// <summary>The walk-through of each README is run as it stands.</summary>
public class ReadmeTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("README.ja.md")]
    public async Task The_walk_through_works_as_it_is_written(string readme)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Site.Root, readme));
        var script = text.Split("```bash\n")[1].Split("\n```")[0];
        var folder = Directory.CreateTempSubdirectory("sekisho-readme-").FullName;
        try
        {
            await using var gateway = await Verification.Processes.GatewayProcess.RunAsync(Verification.Processes.GatewayStart.OnFreePorts(Site.Command, Path.Combine(folder, "sekisho-data")));
            script = script
                .Replace("8443", gateway.Start.DevicePort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
                .Replace("9443", gateway.Start.ManagementPort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
            var info = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
            info.Environment["CODE"] = await gateway.SetupCodeAsync();
            using var bash = Process.Start(info)!;
            var error = bash.StandardError.ReadToEndAsync();
            var printed = await bash.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(2));
            await bash.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
            Assert.True(bash.ExitCode == 0, printed + await error);
            Assert.DoesNotContain("urn:sekisho:problem", printed, StringComparison.Ordinal);
            Assert.Contains("HTTP/2 202", printed, StringComparison.Ordinal);
            Assert.Contains("\"temperature\":4.2", printed, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
