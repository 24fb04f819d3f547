using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Sekisho.Verification.Processes;

namespace Sekisho.Response.Tests.Support;

public sealed record ReceivedMail(
    string From, string[] To, bool Tls, bool Authenticated, string Subject, string Type, string Text, string Html, string MessageId, string[] Headers, string Raw);

/// <summary>Debian's aiosmtpd in a process of its own.</summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private readonly Channel<ReceivedMail> _mails = Channel.CreateBounded<ReceivedMail>(5000);
    private readonly Process _process;

    private SmtpServer(int port, Process process) => (Port, _process) = (port, process);

    public int Port { get; }

    public static async Task<SmtpServer> StartAsync(int? port = null, params string[] options)
    {
        var chosen = port ?? FreePort.Next();
        var info = new ProcessStartInfo("/usr/bin/python3") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Smtp", "server.py"), chosen.ToString(CultureInfo.InvariantCulture), .. options])
        {
            info.ArgumentList.Add(argument);
        }

        var server = new SmtpServer(chosen, Process.Start(info)!);
        var first = await server._process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(first == "READY", "aiosmtpd did not start; Debian package python3-aiosmtpd is needed.");
        _ = server.ReadAsync();
        return server;
    }

    public async Task<ReceivedMail> NextAsync() => await _mails.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>What has been taken so far; complete because the server prints a mail before it confirms it.</summary>
    public IReadOnlyList<ReceivedMail> Taken(int atLeast)
    {
        var all = new List<ReceivedMail>();
        SpinWait.SpinUntil(() => _mails.Reader.Count >= atLeast, TimeSpan.FromSeconds(30));
        while (_mails.Reader.TryRead(out var mail))
        {
            all.Add(mail);
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            await _mails.Writer.WriteAsync(JsonSerializer.Deserialize<ReceivedMail>(line, JsonSerializerOptions.Web)!);
        }
    }
}
