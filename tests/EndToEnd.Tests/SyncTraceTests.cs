using System.Globalization;
using System.Text.RegularExpressions;

namespace Sekisho.EndToEnd.Tests;

/// <summary>A kill leaves the page cache intact, so only the system calls show that an acknowledged message is on disk.</summary>
public partial class SyncTraceTests
{
    [Fact]
    public async Task The_journal_is_synced_between_the_arrival_of_each_message_and_its_202()
    {
        const int messages = 50;
        var trace = Path.GetTempFileName();
        await using var site = await Site.StartAsync(prefix: ["strace", "-f", "-tt", "-yy", "-e", "trace=fdatasync,fsync,recvmsg,recvfrom,read,sendmsg,sendto,write", "-o", trace]);
        await site.AddFieldAsync("trace");
        using var device = await site.ConnectAsync("trace", "TR-0001");
        for (var i = 1; i <= messages; i++)
        {
            var answer = await device.SendAsync($$"""{"seq":{{i}},"value":1}""");
            Assert.Equal(202, answer.Status);
        }

        await site.Gateway.DisposeAsync();
        var port = site.Gateway.Devices.Port.ToString(CultureInfo.InvariantCulture);
        var inFlight = new Dictionary<string, string>();
        int requests = 0, synced = 0;
        var syncedSinceArrival = false;
        string? socket = null;
        foreach (var line in File.ReadLines(trace))
        {
            // A call that another thread interrupts is printed as "unfinished" and later "resumed": join both.
            var thread = line.Split(' ', 2)[0];
            if (line.Contains("<unfinished ...>", StringComparison.Ordinal))
            {
                inFlight[thread] = line;
                continue;
            }

            var call = line.Contains("resumed>", StringComparison.Ordinal) && inFlight.Remove(thread, out var begun) ? begun + line : line;
            if (Sync().IsMatch(call) && call.Contains("journal.db-wal", StringComparison.Ordinal))
            {
                syncedSinceArrival = true;
            }
            else if (Arrival().Match(call) is { Success: true } arrival && call.Contains(port, StringComparison.Ordinal) && int.Parse(arrival.Groups[1].Value, CultureInfo.InvariantCulture) > 100)
            {
                socket = Socket().Match(call).Value;
                syncedSinceArrival = false;
            }
            else if (socket is not null && Answer().IsMatch(call) && call.Contains(socket, StringComparison.Ordinal))
            {
                requests++;
                synced += syncedSinceArrival ? 1 : 0;
                socket = null;
            }
        }

        File.Delete(trace);

        // Beside the messages the trace holds the handshake and the token request.
        Assert.InRange(requests, messages, messages + 10);
        Assert.InRange(synced, messages, requests);
    }

    [GeneratedRegex(@"f(data)?sync\(.*= 0")]
    private static partial Regex Sync();

    [GeneratedRegex(@"(?:recvmsg|recvfrom|read)\(\d+<(?:TCP|socket).*= (\d+)")]
    private static partial Regex Arrival();

    [GeneratedRegex(@"(?:sendmsg|sendto|write)\(\d+<(?:TCP|socket).*= \d+")]
    private static partial Regex Answer();

    [GeneratedRegex(@"\d+<(?:TCP|socket)[^>]*>?")]
    private static partial Regex Socket();
}
