using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Sekisho.Verification;

/// <summary>How a gateway is started.</summary>
public sealed record GatewayStart
{
    /// <summary>Path of Sekisho.Gateway.dll.</summary>
    public required string Program { get; init; }

    /// <summary>Its data folder.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Port for devices.</summary>
    public required int Port { get; init; }

    /// <summary>Port for management.</summary>
    public required int ManagementPort { get; init; }

    /// <summary>Further arguments after "up …".</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Further environment variables; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>A program and its first arguments that run the gateway (a tracer, taskset); empty for none.</summary>
    public IReadOnlyList<string> Wrapper { get; init; } = [];
}

/// <summary>
/// A gateway as a process of its own, as `./sekisho up` starts it. Only the process that was started here is ever ended. One caller at a time;
/// <see cref="Output"/> any thread.
/// </summary>
public sealed class GatewayProcess : IAsyncDisposable
{
    private const int MostLines = 5000;
    private const int Terminate = 15;
    private readonly Process _process;
    private readonly GatewayStart _start;
    private readonly TimeProvider _clock;
    private readonly Lock _turn = new(); // guards _lines
    private readonly Queue<string> _lines = [];

    private GatewayProcess(Process process, GatewayStart start, TimeProvider clock) => (_process, _start, _clock) = (process, start, clock);

    /// <summary>The last lines that it printed, at most 5,000.</summary>
    public IReadOnlyList<string> Output
    {
        get
        {
            lock (_turn)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Process id.</summary>
    public int Id => _process.Id;

    /// <summary>Exit code; null while it runs. 137 after a hard kill.</summary>
    public int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    /// <summary>Where devices connect.</summary>
    public Uri DeviceAddress => new($"https://localhost:{_start.Port}/");

    /// <summary>Where people and programs manage it.</summary>
    public Uri ManagementAddress => new($"https://localhost:{_start.ManagementPort}/");

    /// <summary>The gateway's CA, PEM; there once it is ready.</summary>
    public string CaPem => File.ReadAllText(CaFile);

    private string CaFile => Path.Combine(_start.DataFolder, "ca.pem");

    /// <summary>Starts it and returns at once.</summary>
    public static GatewayProcess Start(GatewayStart start, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(start);
        string[] command =
        [
            .. start.Wrapper, "dotnet", start.Program, "up", "--data", start.DataFolder,
            "--port", start.Port.ToString(CultureInfo.InvariantCulture), "--management-port", start.ManagementPort.ToString(CultureInfo.InvariantCulture), .. start.Arguments,
        ];
        var info = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in start.Environment)
        {
            info.Environment[name] = value;
        }

        var process = new Process { StartInfo = info };
        var gateway = new GatewayProcess(process, start, clock ?? TimeProvider.System);
        process.OutputDataReceived += (_, line) => gateway.Keep(line.Data);
        process.ErrorDataReceived += (_, line) => gateway.Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return gateway;
    }

    /// <summary>Waits until it answers on the management port.</summary>
    /// <exception cref="InvalidOperationException">It ended before; the message holds its output.</exception>
    /// <exception cref="TimeoutException">It was not ready in time.</exception>
    public async Task WaitReadyAsync(TimeSpan within, CancellationToken cancellation = default)
    {
        await Deadline.UntilAsync(
            async () =>
            {
                if (_process.HasExited)
                {
                    throw new InvalidOperationException($"The gateway ended with {_process.ExitCode} before it was ready:{Environment.NewLine}{string.Join(Environment.NewLine, Output)}");
                }

                return File.Exists(CaFile) && await IsLiveAsync(cancellation).ConfigureAwait(false);
            },
            within,
            "the gateway to be ready",
            _clock,
            cancellation).ConfigureAwait(false);
    }

    /// <summary>SIGKILL: no chance to finish anything. Returns when it is gone.</summary>
    public async Task KillHardAsync()
    {
        if (!_process.HasExited)
        {
            // With a wrapper the gateway is a child of what was started.
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync().ConfigureAwait(false);
    }

    /// <summary>SIGTERM to what was started: it drains and ends. A wrapper must pass the signal on.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="TimeoutException">It still runs after the time.</exception>
    public async Task<int> StopAsync(TimeSpan within)
    {
        if (!_process.HasExited)
        {
            _ = kill(_process.Id, Terminate);
        }

        await Deadline.UntilAsync(() => Task.FromResult(_process.HasExited), within, "the gateway to end after SIGTERM", _clock).ConfigureAwait(false);

        // Also waits for the last lines of output.
        await _process.WaitForExitAsync().ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <summary>Ends the process, hard when it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        await KillHardAsync().ConfigureAwait(false);
        _process.Dispose();
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int process, int signal);

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_turn)
        {
            _lines.Enqueue(line);
            if (_lines.Count > MostLines)
            {
                _lines.Dequeue();
            }
        }
    }

    private async Task<bool> IsLiveAsync(CancellationToken cancellation)
    {
        try
        {
            using var http = TrustedHttp.Client(ManagementAddress, CaPem, TimeSpan.FromSeconds(5));
            using var response = await http.GetAsync("health/live", cancellation).ConfigureAwait(false);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or System.Security.Cryptography.CryptographicException or ArgumentException
            || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            // Not listening yet, or its CA is half written.
            return false;
        }
    }
}
