using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Sekisho.Verification.Clients;

namespace Sekisho.Verification.Processes;

/// <summary>How to start a gateway.</summary>
/// <param name="Command">The program and its first arguments: "dotnet" and the path of Sekisho.Gateway.dll, or the path of the sekisho script.</param>
/// <param name="DataFolder">Data folder.</param>
/// <param name="DevicePort">Port for devices.</param>
/// <param name="ManagementPort">Port for management.</param>
/// <param name="Settings">Further settings as Section:Key=VALUE.</param>
/// <param name="Prefix">Program and arguments to run it under (taskset, strace); empty for none.</param>
public sealed record GatewayStart(IReadOnlyList<string> Command, string DataFolder, int DevicePort, int ManagementPort, IReadOnlyList<string> Settings, IReadOnlyList<string> Prefix)
{
    /// <summary>Ports that were free a moment ago.</summary>
    public static GatewayStart OnFreePorts(IReadOnlyList<string> command, string dataFolder, params string[] settings) =>
        new(command, dataFolder, FreePort.Next(), FreePort.Next(), settings, []);
}

/// <summary>A gateway in a process of its own, started and ended by its owner. One owner at a time.</summary>
public sealed class GatewayProcess : IAsyncDisposable
{
    private const string SensorPort = "Gateway:SensorPort=";

    private readonly ConcurrentQueue<string> _output = new();
    private readonly Process _process;
    private bool _disposed;

    private GatewayProcess(Process process, GatewayStart start) => (_process, Start) = (process, start);

    /// <summary>How it was started.</summary>
    public GatewayStart Start { get; }

    /// <summary>Process id of the gateway, or of the program it runs under.</summary>
    public int Id => _process.Id;

    /// <summary>File of the authority to trust.</summary>
    public string CaFile => Path.Combine(Start.DataFolder, "ca.pem");

    /// <summary>Address of the device listener.</summary>
    public Uri Devices => new($"https://localhost:{Start.DevicePort}");

    /// <summary>Address of the listener for traffic sensors; null unless the start names a port for it.</summary>
    public Uri? Sensors => Start.Settings.FirstOrDefault(s => s.StartsWith(SensorPort, StringComparison.Ordinal)) is { } setting ? new Uri($"https://localhost:{setting[SensorPort.Length..]}") : null;

    /// <summary>Address of the management listener.</summary>
    public Uri Management => new($"https://localhost:{Start.ManagementPort}");

    /// <summary>What it has printed so far.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>True when it has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Starts a gateway and returns when it answers.</summary>
    /// <exception cref="InvalidOperationException">It ended or did not answer in a minute; the message has its output.</exception>
    public static async Task<GatewayProcess> RunAsync(GatewayStart start)
    {
        var gateway = Launch(start);
        var deadline = TimeProvider.System.GetUtcNow().AddSeconds(60);
        while (TimeProvider.System.GetUtcNow() < deadline && !gateway.HasEnded)
        {
            if (await gateway.AnswersAsync().ConfigureAwait(false))
            {
                return gateway;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System).ConfigureAwait(false);
        }

        await gateway.DisposeAsync().ConfigureAwait(false);
        throw new InvalidOperationException("The gateway did not come up:\n" + gateway.Output);
    }

    /// <summary>Starts a gateway and does not wait for it, for starts that must fail.</summary>
    public static GatewayProcess Launch(GatewayStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        string[] line = [.. start.Prefix, .. start.Command, "up", "--data", start.DataFolder,
            "--port", start.DevicePort.ToString(CultureInfo.InvariantCulture), "--management-port", start.ManagementPort.ToString(CultureInfo.InvariantCulture),
            .. start.Settings.SelectMany(s => new[] { "--set", s })];
        var info = new ProcessStartInfo(line[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in line[1..])
        {
            info.ArgumentList.Add(argument);
        }

        var process = new Process { StartInfo = info };
        var gateway = new GatewayProcess(process, start);
        process.OutputDataReceived += (_, e) => gateway.Keep(e.Data);
        process.ErrorDataReceived += (_, e) => gateway.Keep(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return gateway;
    }

    /// <summary>The set-up code it printed at first start.</summary>
    /// <exception cref="InvalidOperationException">It printed none.</exception>
    public async Task<string> SetupCodeAsync()
    {
        var deadline = TimeProvider.System.GetUtcNow().AddSeconds(20);
        while (TimeProvider.System.GetUtcNow() < deadline)
        {
            var at = Output.IndexOf("\"code\":\"", StringComparison.Ordinal);
            if (at >= 0)
            {
                return Output[(at + 8)..].Split('"')[0];
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System).ConfigureAwait(false);
        }

        throw new InvalidOperationException("The gateway printed no set-up code:\n" + Output);
    }

    /// <summary>kill -9.</summary>
    /// <exception cref="TimeoutException">It did not end in a minute.</exception>
    public async Task KillHardAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60)).ConfigureAwait(false);
    }

    /// <summary>Asks it to stop (SIGTERM) and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="TimeoutException">It did not end in a minute.</exception>
    public async Task<int> StopAsync()
    {
        if (!_process.HasExited && Signal(_process.Id, 15) != 0)
        {
            throw new InvalidOperationException($"Process {_process.Id} cannot be signalled.");
        }

        return await EndAsync().ConfigureAwait(false);
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="TimeoutException">It did not end in a minute.</exception>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (!_process.HasExited)
        {
            await KillHardAsync().ConfigureAwait(false);
        }

        _process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);

    private async Task<bool> AnswersAsync()
    {
        if (!File.Exists(CaFile))
        {
            return false;
        }

        try
        {
            using var http = new HttpClient(TrustedHttp.Handler(CaFile)) { Timeout = TimeSpan.FromSeconds(5) };
            using var answer = await http.GetAsync(new Uri(Management, "/health/live")).ConfigureAwait(false);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException or System.Security.Cryptography.CryptographicException)
        {
            // Not listening yet, or ca.pem is just being written.
            return false;
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _output.Enqueue(line);
            while (_output.Count > 2000)
            {
                _output.TryDequeue(out _);
            }
        }
    }
}
