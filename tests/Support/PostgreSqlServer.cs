using System.Diagnostics;
using Npgsql;
using Sekisho.Verification.Processes;

namespace Sekisho.Tests.Support;

/// <summary>
/// A PostgreSQL server of this test process's own, on loopback, from the machine's binaries (Debian: postgresql). Started at first use,
/// ended with the process. Each caller gets a fresh database.
/// </summary>
public static class PostgreSqlServer
{
    private static readonly Lazy<Task<string>> Running = new(StartAsync);
    private static int _databases;

    /// <summary>Connection string of a new, empty database.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        var server = await Running.Value;
        var name = $"sekisho_{Environment.ProcessId}_{Interlocked.Increment(ref _databases)}";
        await using var connection = new NpgsqlConnection(server + ";Database=postgres;Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"CREATE DATABASE {name}";
        await command.ExecuteNonQueryAsync();
        return server + ";Database=" + name + ";Maximum Pool Size=10";
    }

    private static async Task<string> StartAsync()
    {
        var bin = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(d => d, StringComparer.Ordinal).Select(d => Path.Combine(d, "bin")).FirstOrDefault(d => File.Exists(Path.Combine(d, "postgres")))
            : null;
        if (bin is null)
        {
            throw new InvalidOperationException("PostgreSQL is not installed. './sekisho test' installs it when run as root (Debian package postgresql).");
        }

        var folder = Directory.CreateTempSubdirectory("sekisho-pg-").FullName;
        var port = FreePort.Next();
        var asRoot = Environment.UserName == "root";
        if (asRoot)
        {
            await RunAsync("chown", ["postgres", folder]);
        }

        // PostgreSQL refuses to run as root, so the server runs as the package's own user then.
        string[] Prefix(string program) => asRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", program] : [program];
        var init = Prefix(Path.Combine(bin, "initdb"));
        await RunAsync(init[0], [.. init[1..], "-D", folder + "/data", "-A", "trust", "-U", "sekisho", "-E", "UTF8", "--no-sync", "--locale=C"]);
        var start = Prefix(Path.Combine(bin, "postgres"));
        var info = new ProcessStartInfo(start[0]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = folder };
        foreach (var argument in (string[])[.. start[1..], "-D", folder + "/data", "-h", "127.0.0.1", "-p", port.ToString(System.Globalization.CultureInfo.InvariantCulture), "-k", folder, "-c", "fsync=off", "-c", "max_connections=200"])
        {
            info.ArgumentList.Add(argument);
        }

        var server = Process.Start(info)!;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            server.Kill(entireProcessTree: true);
            server.WaitForExit(5000);

            // Hundreds of databases take longer to delete than a test process may take to end.
            Process.Start("rm", ["-rf", folder]);
        };
        var connectionString = $"Host=127.0.0.1;Port={port};Username=sekisho";
        var ready = new TaskCompletionSource();
        server.ErrorDataReceived += (_, e) =>
        {
            if (e.Data?.Contains("ready to accept connections", StringComparison.Ordinal) == true)
            {
                ready.TrySetResult();
            }
        };
        server.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("PostgreSQL ended before it was ready."));
        server.EnableRaisingEvents = true;
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
        await ready.Task.WaitAsync(TimeSpan.FromSeconds(60));
        return connectionString;
    }

    private static async Task RunAsync(string program, string[] arguments)
    {
        var info = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEndAsync();
        _ = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} failed: {await error}");
        }
    }
}
