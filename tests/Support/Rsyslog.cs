using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sekisho.Verification.Processes;

namespace Sekisho.Tests.Support;

/// <summary>One message as rsyslog understood it.</summary>
public sealed record Logged(int Priority, string Time, string Host, string App, string MessageId, string Structured, string Message)
{
    /// <summary>Value of a parameter of the structured data.</summary>
    public string? this[string name]
    {
        get
        {
            var at = Structured.IndexOf($" {name}=\"", StringComparison.Ordinal);
            if (at < 0)
            {
                return null;
            }

            var text = new System.Text.StringBuilder();
            for (var i = at + name.Length + 3; Structured[i] != '"'; i++)
            {
                text.Append(Structured[i] == '\\' ? Structured[++i] : Structured[i]);
            }

            return text.ToString();
        }
    }
}

/// <summary>Debian's rsyslog in a process of its own, with TLS from OpenSSL, that writes what it parsed to a file.</summary>
public sealed class Rsyslog : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-rsyslog-").FullName;
    private Process _process = null!;

    private Rsyslog(int port) => Port = port;

    public int Port { get; }

    private string Output => Path.Combine(_folder, "out.jsonl");

    public static async Task<Rsyslog> StartAsync(TestCa? ca, bool asksForCertificate = false)
    {
        if (!Directory.GetDirectories("/usr/lib", "*-linux-gnu").Any(d => File.Exists(Path.Combine(d, "rsyslog", "lmnsd_ossl.so"))))
        {
            throw new InvalidOperationException("rsyslog is missing; Debian packages rsyslog and rsyslog-openssl are needed.");
        }

        var server = new Rsyslog(FreePort.Next());
        string At(string name) => Path.Combine(server._folder, name);
        if (ca is not null)
        {
            await File.WriteAllTextAsync(At("ca.pem"), ca.Certificate);
            await File.WriteAllTextAsync(At("cert.pem"), ca.Server.Certificate);
            await File.WriteAllTextAsync(At("key.pem"), ca.Server.Key);
        }

        var tls = ca is null ? "" : $"""
            global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{At("ca.pem")}" DefaultNetstreamDriverCertFile="{At("cert.pem")}" DefaultNetstreamDriverKeyFile="{At("key.pem")}")
            """;
        var driver = ca is null ? "" : $"""StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="{(asksForCertificate ? "x509/certvalid" : "anon")}" """;
        await File.WriteAllTextAsync(At("rsyslog.conf"), $$"""
            global(workDirectory="{{server._folder}}")
            {{tls}}
            module(load="imtcp" {{driver}})
            input(type="imtcp" address="127.0.0.1" port="{{server.Port}}")
            template(name="parsed" type="list") {
              constant(value="{")
              property(outname="priority" name="pri" format="jsonf") constant(value=",")
              property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf") constant(value=",")
              property(outname="host" name="hostname" format="jsonf") constant(value=",")
              property(outname="app" name="app-name" format="jsonf") constant(value=",")
              property(outname="messageId" name="msgid" format="jsonf") constant(value=",")
              property(outname="structured" name="structured-data" format="jsonf") constant(value=",")
              property(outname="message" name="msg" format="jsonf")
              constant(value="}\n")
            }
            action(type="omfile" file="{{server.Output}}" template="parsed")

            """);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it again, on the same port.</summary>
    public async Task StartAsync()
    {
        var info = new ProcessStartInfo("/usr/sbin/rsyslogd") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["-n", "-f", Path.Combine(_folder, "rsyslog.conf"), "-i", Path.Combine(_folder, "pid")])
        {
            info.ArgumentList.Add(argument);
        }

        _process = Process.Start(info)!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Until.TrueAsync(
            async () =>
            {
                using var probe = new Socket(SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await probe.ConnectAsync("127.0.0.1", Port);
                    return true;
                }
                catch (SocketException)
                {
                    return _process.HasExited ? throw new InvalidOperationException("rsyslogd ended at its start.") : false;
                }
            },
            "rsyslogd does not listen");
    }

    /// <summary>As a crash ends it.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        _process.Dispose();
    }

    /// <summary>What it has written so far.</summary>
    public IReadOnlyList<Logged> Read() => !File.Exists(Output)
        ? []
        : [.. File.ReadAllText(Output).Split('\n')[..^1].Select(l => JsonNode.Parse(l)!).Select(j => new Logged(
            int.Parse(Text(j, "priority"), CultureInfo.InvariantCulture), Text(j, "time"), Text(j, "host"), Text(j, "app"), Text(j, "messageId"), Text(j, "structured"), Text(j, "message")))];

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static string Text(JsonNode json, string name) => json[name]!.GetValueKind() == JsonValueKind.String ? json[name]!.GetValue<string>() : json[name]!.ToJsonString();
}
