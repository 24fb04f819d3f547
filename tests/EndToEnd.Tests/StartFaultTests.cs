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
    public async Task Faults_of_the_command_line_the_file_and_the_settings_are_told_together()
    {
        Directory.CreateDirectory(Data);
        await File.WriteAllTextAsync(Path.Combine(Data, "sekisho.json"), "{ \"Gateway\": ");
        var start = GatewayStart.OnFreePorts(
            Site.Command, Data, "no equals sign", "Gateway:ManagementAddress=localhost", "Storage:Engine=postgresql", "Gateway:Tls:KeyFile=/no/such.pem", "Gateway:Tls:Names:0=not a name", "Operations:Otlp:Endpoint=collector");
        await FailsAsync(
            start with { DevicePort = 70_000, ManagementPort = 0 },
            "sekisho.json", "--set = 'no equals sign'", "--port = '70000'", "--management-port = '0'", "'localhost' is no address to listen on", "Storage:ConnectionSecret", "no file '/no/such.pem'", "'not a name' is no host name", "Operations:Otlp:Endpoint: 'collector'");
    }

    [Fact]
    public async Task Devices_and_management_never_share_a_port()
    {
        var start = GatewayStart.OnFreePorts(Site.Command, Data);
        await FailsAsync(start with { ManagementPort = start.DevicePort }, "--management-port", "a port each");
    }

    [Fact]
    public async Task Sensors_share_a_port_with_nobody()
    {
        var start = GatewayStart.OnFreePorts(Site.Command, Data);
        await FailsAsync(start with { Settings = [$"Gateway:SensorPort={start.DevicePort}"] }, "Gateway:SensorPort", "a port of their own");
    }

    [Fact]
    public async Task An_address_that_is_not_of_this_host_is_said_to_be_the_reason() =>
        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, Data, "Gateway:ManagementAddress=192.0.2.1"), "Gateway:ManagementAddress");

    [Fact]
    public async Task A_postgresql_server_that_is_away_is_named_with_the_setting_and_without_its_password()
    {
        var start = GatewayStart.OnFreePorts(Site.Command, Data);
        await using var gateway = GatewayProcess.Launch(start with { Settings = ["Storage:Engine=postgresql", $"Storage:ConnectionSecret=Host=127.0.0.1;Port={start.DevicePort};Username=sekisho;Password=MARKER-4711;Timeout=3"] });
        Assert.Equal(2, await gateway.EndAsync());
        Assert.Contains("Storage:ConnectionSecret", gateway.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER-4711", gateway.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_file_that_is_none_is_refused_and_left_as_it_is()
    {
        await StartOnceAsync();
        var file = Path.Combine(Data, "state.db");
        foreach (var old in Directory.GetFiles(Data, "state.db*"))
        {
            File.Delete(old);
        }

        await File.WriteAllTextAsync(file, new string('x', 10_000));
        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, Data), "database files in " + Data, "restore a backup");
        Assert.Equal(new string('x', 10_000), await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task A_lost_journal_is_told_instead_of_leaving_detection_waiting_for_ever()
    {
        await StartOnceAsync();
        foreach (var lost in Directory.GetFiles(Data, "journal.db*"))
        {
            File.Delete(lost);
        }

        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, Data), "journal", "one backup");
    }

    [Fact]
    public async Task A_folder_without_the_right_to_write_is_refused_by_name()
    {
        // The owner of the folder may not write either; root is nobody else's equal and has to become somebody first.
        Directory.CreateDirectory(Data);
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(Data, (UnixFileMode)0b101_101_101);
        var start = GatewayStart.OnFreePorts(Site.Command, Data);
        if (Environment.UserName == "root")
        {
            // Another user may have no way to this build, so it runs from a copy.
            var program = Path.Combine(_folder, "program");
            CopyProgram(Path.GetDirectoryName(Site.Command[1])!, program);
            start = start with { Command = [Site.Command[0], Path.Combine(program, Path.GetFileName(Site.Command[1]))], Prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] };
        }

        await FailsAsync(start, $"data folder {Data} cannot be used", "make it writable");
    }

    [Fact]
    public async Task A_first_start_cut_off_after_the_authority_s_key_goes_on_with_the_same_authority()
    {
        await StartOnceAsync();
        var file = Path.Combine(Data, "ca.pem");
        var before = await File.ReadAllTextAsync(file);
        File.Delete(file);
        await StartOnceAsync();
        Assert.Equal(before, await File.ReadAllTextAsync(file));
        File.Delete(Path.Combine(Data, "ca.key"));
        await FailsAsync(GatewayStart.OnFreePorts(Site.Command, Data), "ca.key", "Restore");
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

    private static void CopyProgram(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.GetDirectories(from))
        {
            CopyProgram(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
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
