using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Sekisho.Tests.Support;
using Sekisho.Verification.Processes;

namespace Sekisho.EndToEnd.Tests;

/// <summary>Starts that must fail: each ends with exit code 2 and a sentence that says what to do.</summary>
public sealed class StartFaultTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-start-").FullName;

    private string Data => Path.Combine(_folder, "data");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_port_in_use_is_named_with_the_option_to_change_it()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        var start = GatewayStart.OnFreePorts(Site.Command, Data) with { DevicePort = ((IPEndPoint)taken.LocalEndpoint).Port };
        await FailsAsync(start, start.DevicePort.ToString(System.Globalization.CultureInfo.InvariantCulture), "--port");
    }

    [Fact]
    public async Task Every_fault_of_the_configuration_is_named_at_once()
    {
        var start = GatewayStart.OnFreePorts(Site.Command, Data, "Gateway:MostConnections=5", "Gateway:DrainTimes=00:00:10", "Storage:Engine=oracle", "Gateway:Tls:Days=many");
        await FailsAsync(start, "Gateway:MostConnections = '5'", "Did you mean Gateway:DrainTime?", "Storage:Engine = 'oracle'", "Gateway:Tls:Days = 'many'");
        Assert.False(Directory.Exists(Data), "a wrong configuration must leave nothing behind");
    }

    [Fact]
    public async Task A_configuration_file_that_is_no_json_is_named()
    {
        Directory.CreateDirectory(Data);
        await File.WriteAllTextAsync(Path.Combine(Data, "sekisho.json"), "{ \"Gateway\": ");
        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, Data), "sekisho.json");
    }

    [Fact]
    public async Task A_copied_data_folder_with_another_key_is_useless()
    {
        await StartOnceAsync();
        var copy = Path.Combine(_folder, "copy");
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(Data))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, copy), "master key is missing", copy + ".key");
        await File.WriteAllTextAsync(copy + ".key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, copy), "another master key", "SEKISHO_MASTER_KEY_FILE");
    }

    [Fact]
    public async Task A_data_folder_in_use_is_refused()
    {
        await using var first = await GatewayProcess.RunAsync(GatewayStart.OnFreePorts(Site.Command, Data));
        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, Data), "cannot be used", Data);
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_written_is_refused()
    {
        // Root may write anywhere, so a file stands where the folder should be.
        await File.WriteAllTextAsync(Data, "");
        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, Data), Data);
    }

    [Fact]
    public async Task A_data_folder_on_a_read_only_disk_is_refused_and_works_again_when_it_can_be_written()
    {
        await using var disk = await SmallDisk.MountAsync(mib: 64);
        var start = GatewayStart.OnFreePorts(Site.Command, disk.Folder, "Distribution:Journal:MinFreeMiB=0");
        await using (var first = await GatewayProcess.RunAsync(start))
        {
            Assert.Equal(0, await first.StopAsync());
        }

        await disk.RemountAsync("ro");
        await FailsAsync(start, disk.Folder, "writable");
        await disk.RemountAsync("rw");
        await using var again = await GatewayProcess.RunAsync(start);
        Assert.Equal(0, await again.StopAsync());
    }

    [Fact]
    public async Task An_orderly_stop_ends_with_0_and_the_next_start_needs_no_setup()
    {
        await StartOnceAsync();
        await using var again = await GatewayProcess.RunAsync(GatewayStart.OnFreePorts(Site.Command, Data));
        Assert.Equal(0, await again.StopAsync());
    }

    private async Task StartOnceAsync()
    {
        await using var gateway = await GatewayProcess.RunAsync(GatewayStart.OnFreePorts(Site.Command, Data));
        Assert.Equal(0, await gateway.StopAsync());
    }

    private static async Task FailsAsync(GatewayStart start, params string[] words)
    {
        await using var gateway = GatewayProcess.Launch(start);
        var code = await gateway.EndAsync();
        foreach (var word in words)
        {
            Assert.Contains(word, gateway.Output, StringComparison.Ordinal);
        }

        Assert.Equal(2, code);
        Assert.DoesNotContain("   at ", gateway.Output, StringComparison.Ordinal);
    }
}
