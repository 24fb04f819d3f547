using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sekisho.Tests.Support;

/// <summary>The sensor as a program of its own: what a test project that references it has beside its own files. Ended with its owner. One owner at a time.</summary>
public sealed partial class SensorProcess : IDisposable
{
    private const int Interrupt = 2;
    private const int Termination = 15;
    private const int ContinueSignal = 18;
    private const int StopSignal = 19;
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(2);
    private static readonly string[] s_command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Sekisho.Sensor.dll")];

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly AutoResetEvent _told = new(initialState: false);

    private SensorProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>Lines of standard output until now.</summary>
    public IReadOnlyList<string> Output => [.. _output];

    /// <summary>Lines of standard error until now.</summary>
    public IReadOnlyList<string> Errors => [.. _errors];

    /// <summary>Starts it, and does not wait.</summary>
    /// <param name="networkNamespace">Name of the network namespace that it runs in; null for that of the test.</param>
    /// <param name="arguments">As on the command line.</param>
    public static SensorProcess Start(string? networkNamespace, params string[] arguments) => Launch(networkNamespace, [.. s_command, .. arguments]);

    /// <summary>Starts it on a terminal of its own (script, of bsdutils); <see cref="Output"/> has what it draws, with the control sequences.</summary>
    /// <param name="networkNamespace">See <see cref="Start"/>.</param>
    /// <param name="arguments">As on the command line, without characters of the shell.</param>
    public static SensorProcess StartOnTerminal(string networkNamespace, params string[] arguments) =>
        Launch(networkNamespace, ["script", "--quiet", "--flush", "--return", "--command", $"stty cols 160 rows 40; exec {string.Join(' ', [.. s_command, .. arguments])}", "/dev/null"]);

    /// <summary>Runs it to its end.</summary>
    public static SensorRun Run(params string[] arguments) => RunWith([], arguments);

    /// <summary>Runs it to its end with bytes on standard input.</summary>
    public static SensorRun RunWith(ReadOnlySpan<byte> input, params string[] arguments)
    {
        using var sensor = Start(networkNamespace: null, arguments);
        try
        {
            sensor._process.StandardInput.BaseStream.Write(input);
            sensor._process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It may end without having read all, or any of it.
        }

        var code = sensor.Ended();
        return new SensorRun(code, string.Join('\n', sensor.Output), string.Join('\n', sensor.Errors));
    }

    /// <summary>Ctrl+C.</summary>
    public void Stop() => Send(Interrupt);

    /// <summary>What a service manager sends.</summary>
    public void Terminate() => Send(Termination);

    /// <summary>Types on its terminal.</summary>
    public void Type(string keys)
    {
        _process.StandardInput.Write(keys);
        _process.StandardInput.Flush();
    }

    /// <summary>It does nothing any more until <see cref="Resume"/>.</summary>
    public void Pause()
    {
        Send(StopSignal);
        Until(() => File.ReadAllText($"/proc/{Id}/stat").Split(") ")[^1][0] == 'T', "it does not pause");
    }

    public void Resume() => Send(ContinueSignal);

    /// <summary>Waits until something holds. Fails when the sensor ends before, or after two minutes.</summary>
    public void Until(Func<bool> holds, string otherwise)
    {
        var begin = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begin) > s_longest)
            {
                throw new TimeoutException($"{otherwise} ({(_process.HasExited ? "the sensor has ended" : "in time")})\n{string.Join('\n', Errors)}\n{string.Join('\n', Output)}");
            }

            // A line may be what is waited for; some things come without one.
            _ = _told.WaitOne(20);
        }
    }

    /// <summary>Waits for its end and all that it printed.</summary>
    /// <returns>The exit code.</returns>
    public int Ended()
    {
        WaitForAll();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        // With all that it printed: nothing is told to who is gone.
        WaitForAll();
        _process.Dispose();
        _told.Dispose();
    }

    private void WaitForAll()
    {
        using var limit = new CancellationTokenSource(s_longest, TimeProvider.System);
        try
        {
            _process.WaitForExitAsync(limit.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The sensor has not ended.\n{string.Join('\n', Errors)}");
        }
    }

    private static SensorProcess Launch(string? networkNamespace, string[] line)
    {
        // Who starts tests in the background hands Ctrl+C on as ignored; the sensor is to hear it.
        line = ["env", "--default-signal=INT", .. networkNamespace is null ? line : ["ip", "netns", "exec", networkNamespace, .. line]];
        var info = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var sensor = new SensorProcess(new Process { StartInfo = info });
        sensor._process.OutputDataReceived += (_, e) => sensor.Keep(sensor._output, e.Data);
        sensor._process.ErrorDataReceived += (_, e) => sensor.Keep(sensor._errors, e.Data);
        sensor._process.Start();
        sensor._process.BeginOutputReadLine();
        sensor._process.BeginErrorReadLine();
        return sensor;
    }

    private void Send(int signal)
    {
        if (!_process.HasExited && Signal(_process.Id, signal) != 0)
        {
            throw new InvalidOperationException($"Process {_process.Id} cannot be signalled.");
        }
    }

    private void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
        {
            lines.Enqueue(line);
            _told.Set();
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}

/// <summary>How a run of the sensor ended.</summary>
public sealed record SensorRun(int Code, string Output, string Errors);
