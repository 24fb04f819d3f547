using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Sekisho.Verification.Mail;

/// <summary>A mail as the server got it.</summary>
/// <param name="Recipients">Plain addresses of the envelope.</param>
/// <param name="Subject">Its subject in clear.</param>
/// <param name="Text">The whole mail as it came.</param>
public sealed record ReceivedMail(IReadOnlyList<string> Recipients, string Subject, string Text);

/// <summary>The mail server of the people in charge: a real SMTP server (RFC 5321) on loopback that keeps what it gets and passes nothing on. Any thread.</summary>
public sealed partial class MailReceiver : IAsyncDisposable
{
    private const int MostConnections = 64;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentQueue<ReceivedMail> _received = new();
    private readonly SemaphoreSlim _places = new(MostConnections);
    private readonly Task _accepting;

    private MailReceiver()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Port on 127.0.0.1.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The settings that have a gateway send its mails here.</summary>
    public IReadOnlyList<string> Settings => ["Response:Mail:Host=127.0.0.1", string.Create(CultureInfo.InvariantCulture, $"Response:Mail:Port={Port}"), "Response:Mail:UseStartTls=false"];

    /// <summary>Starts one.</summary>
    public static MailReceiver Start() => new();

    /// <summary>What came for an address, in order.</summary>
    public IReadOnlyList<ReceivedMail> To(string address) => [.. _received.Where(m => m.Recipients.Contains(address))];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _accepting.ConfigureAwait(false);
        _listener.Dispose();
        _ended.Dispose();
        _places.Dispose();
    }

    private async Task AcceptAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                await _places.WaitAsync(_ended.Token).ConfigureAwait(false);
                sessions.RemoveAll(s => s.IsCompleted);
                sessions.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_ended.Token).ConfigureAwait(false)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The end.
        }

        await Task.WhenAll(sessions).ConfigureAwait(false);
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using var owned = client;
            using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
            await using var writer = new StreamWriter(client.GetStream(), Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
            await writer.WriteLineAsync("220 mail.verification").ConfigureAwait(false);
            var recipients = new List<string>();
            while (await reader.ReadLineAsync(_ended.Token).ConfigureAwait(false) is { } line)
            {
                var verb = line.Split(' ', 2)[0].ToUpperInvariant();
                switch (verb)
                {
                    case "RCPT" when Address().Match(line) is { Success: true } to:
                        recipients.Add(to.Groups[1].Value);
                        break;
                    case "RSET" or "MAIL":
                        recipients.Clear();
                        break;
                    case "DATA":
                        await writer.WriteLineAsync("354 go on").ConfigureAwait(false);
                        var text = await ReadAsync(reader).ConfigureAwait(false);
                        _received.Enqueue(new ReceivedMail([.. recipients], SubjectOf(text), text));
                        break;
                }

                await writer.WriteLineAsync(verb == "QUIT" ? "221 bye" : "250 ok").ConfigureAwait(false);
                if (verb == "QUIT")
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // The sender is gone; what it had not ended with a dot was no mail.
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<string> ReadAsync(StreamReader reader)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync(_ended.Token).ConfigureAwait(false) is { } line)
        {
            if (line == ".")
            {
                return text.ToString();
            }

            // RFC 5321, 4.5.2.
            text.Append(line.StartsWith('.') ? line[1..] : line).Append('\n');
        }

        throw new IOException("The mail has no end.");
    }

    /// <summary>The subject with its encoded words (RFC 2047) put back.</summary>
    private static string SubjectOf(string text)
    {
        var lines = text.Split('\n');
        var at = Array.FindIndex(lines, l => l.StartsWith("Subject:", StringComparison.OrdinalIgnoreCase));
        if (at < 0)
        {
            return "";
        }

        var folded = lines[at]["Subject:".Length..].Trim() + string.Concat(lines.Skip(at + 1).TakeWhile(l => l.StartsWith(' ') || l.StartsWith('\t')).Select(l => " " + l.Trim()));
        var bytes = new List<byte>();
        var words = EncodedWord().Matches(folded);
        if (words.Count == 0)
        {
            return folded;
        }

        try
        {
            foreach (Match word in words)
            {
                bytes.AddRange(word.Groups[1].Value is "B" or "b" ? Convert.FromBase64String(word.Groups[2].Value) : Quoted(word.Groups[2].Value));
            }
        }
        catch (FormatException)
        {
            return folded;
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static List<byte> Quoted(string text)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '=' && i + 2 < text.Length)
            {
                bytes.Add(byte.Parse(text.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                i += 2;
            }
            else
            {
                bytes.Add(text[i] == '_' ? (byte)' ' : (byte)text[i]);
            }
        }

        return bytes;
    }

    [GeneratedRegex("TO:<([^>]+)>", RegexOptions.IgnoreCase)]
    private static partial Regex Address();

    [GeneratedRegex(@"=\?utf-8\?([BbQq])\?([^?]*)\?=", RegexOptions.IgnoreCase)]
    private static partial Regex EncodedWord();
}
