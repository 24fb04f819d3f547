using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sekisho.Tests.Support;

/// <summary>The sensor as a program of its own: what a test project that references it has beside its own files. Ended with its owner. One owner at a time.</summary>
public sealed partial class SensorProcess : IDisposable
{
    private const int Interrupt = 2;
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();

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
    public static SensorProcess Start(string? networkNamespace, params string[] arguments)
    {
        string[] line = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Sekisho.Sensor.dll"), .. arguments];
        line = networkNamespace is null ? line : ["ip", "netns", "exec", networkNamespace, .. line];
        var info = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var sensor = new SensorProcess(new Process { StartInfo = info });
        sensor._process.OutputDataReceived += (_, e) => Keep(sensor._output, e.Data);
        sensor._process.ErrorDataReceived += (_, e) => Keep(sensor._errors, e.Data);
        sensor._process.Start();
        sensor._process.BeginOutputReadLine();
        sensor._process.BeginErrorReadLine();
        return sensor;
    }

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
    public void Stop()
    {
        if (!_process.HasExited && Signal(_process.Id, Interrupt) != 0)
        {
            throw new InvalidOperationException($"Process {_process.Id} cannot be signalled.");
        }
    }

    /// <summary>Waits for its end and all that it printed.</summary>
    /// <returns>The exit code.</returns>
    public int Ended()
    {
        if (!_process.WaitForExit(s_longest))
        {
            throw new TimeoutException($"The sensor has not ended.\n{string.Join('\n', Errors)}");
        }

        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
        {
            lines.Enqueue(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}

/// <summary>How a run of the sensor ended.</summary>
public sealed record SensorRun(int Code, string Output, string Errors);
