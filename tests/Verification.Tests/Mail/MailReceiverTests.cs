using System.Net;
using System.Net.Mail;
using System.Net.Sockets;
using System.Text;
using Sekisho.Tests.Support;
using Sekisho.Verification.Mail;

namespace Sekisho.Verification.Tests.Mail;

public class MailReceiverTests
{
    [Theory]
    [InlineData("【Sekisho】重要: 盗難 – Recorder 1 (d8atr96d68zdmz7o)、長い件名は折り返される")]
    [InlineData("[Sekisho] Important: theft")]
    [InlineData("é_=?")]
    public async Task A_mail_is_kept_with_its_recipients_and_its_subject_in_clear(string subject)
    {
        await using var server = MailReceiver.Start();
        using var client = new SmtpClient("127.0.0.1", server.Port);
        using var mail = new MailMessage("gate@example.jp", "one@example.jp", subject, "text") { SubjectEncoding = Encoding.UTF8 };
        mail.To.Add("two@example.jp");
        await client.SendMailAsync(mail);
        var kept = Assert.Single(server.To("two@example.jp"));
        Assert.Equal(["one@example.jp", "two@example.jp"], kept.Recipients.Order());
        Assert.Equal(subject, kept.Subject);
        Assert.Empty(server.To("three@example.jp"));
    }

    [Fact]
    public async Task Whatever_comes_it_stays_up_and_keeps_no_half_mail()
    {
        await using var server = MailReceiver.Start();
        var random = Fuzz.Source(20261127);
        string[] parts = ["EHLO x\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<half@example.jp>\r\n", "RCPT TO:<\r\n", "DATA\r\n", "Subject: =?utf-8?B?****?=\r\n", "Subject: =?utf-8?Q?=X?=\r\n", "RSET\r\n", "\0\r\n", "\r\n"];
        for (var round = 0; round < Fuzz.Rounds(200); round++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, server.Port);
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => parts[random.Next(parts.Length)]));
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text[..random.Next(1, text.Length + 1)]));
        }

        Assert.Empty(server.To("half@example.jp"));
        using var sender = new SmtpClient("127.0.0.1", server.Port);
        await sender.SendMailAsync("gate@example.jp", "one@example.jp", "whole", "text");
        Assert.Single(server.To("one@example.jp"));
    }

    [Theory]
    [InlineData("Subject: =?utf-8?B?****?=")]
    [InlineData("Subject: =?utf-8?Q?=X1?=")]
    [InlineData("Nothing: here")]
    public async Task A_subject_that_cannot_be_read_stays_as_it_came(string header)
    {
        await using var server = MailReceiver.Start();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port);
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes($"MAIL FROM:<a@b>\r\nRCPT TO:<one@example.jp>\r\nDATA\r\n{header}\r\n\r\ntext\r\n..dots\r\n.\r\nQUIT\r\n"));
        while (await reader.ReadLineAsync() is { } line && !line.StartsWith("221", StringComparison.Ordinal))
        {
        }

        var kept = Assert.Single(server.To("one@example.jp"));
        Assert.Contains(kept.Subject, header, StringComparison.Ordinal);
        Assert.EndsWith("\ntext\n.dots\n", kept.Text, StringComparison.Ordinal);
    }
}
