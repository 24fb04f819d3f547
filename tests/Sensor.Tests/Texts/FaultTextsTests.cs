using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Sekisho.Sensor.Enforcement;
using Sekisho.Sensor.Texts;
using Sekisho.Sensor.Uplink;
using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Records;

namespace Sekisho.Sensor.Tests.Texts;

public sealed partial class FaultTextsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-faults-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_fault_has_a_text_in_both_languages()
    {
        string[] keys =
        [
            .. Enum.GetValues<CaptureFileFault>().Select(FaultTexts.KeyOf),
            .. Enum.GetValues<RecordFileFault>().Select(FaultTexts.KeyOf),
            .. Enum.GetValues<CaptureFault>().Select(FaultTexts.KeyOf),
            .. Enum.GetValues<EnforcementFault>().Select(FaultTexts.KeyOf),
            .. Enum.GetValues<UplinkFault>().Select(FaultTexts.KeyOf),
            .. Enum.GetValues<SocketError>().Select(FaultTexts.KeyOf).Distinct(),
        ];

        Assert.Equal(36, keys.Length);
        Assert.All(keys, key =>
        {
            Assert.NotEmpty(SensorTexts.Get(key, "en"));
            Assert.Matches(Japanese(), SensorTexts.Get(key, "ja"));
        });
    }

    [Theory]
    [InlineData("en", "it begins like 47494638")]
    [InlineData("ja", "先頭: 47494638")]
    public void A_file_that_is_no_capture_is_named_with_what_was_found(string language, string expected)
    {
        var file = Path.Combine(_folder, "picture.pcap");
        File.WriteAllText(file, "GIF8");

        var text = Told(() => CaptureFile.Open(file), file, language);

        Assert.StartsWith(file + ": ", text, StringComparison.Ordinal);
        Assert.Contains(expected, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en", "there is no such file")]
    [InlineData("ja", "ファイルが見つかりません")]
    public void A_file_or_folder_that_is_not_there_is_said_so(string language, string expected)
    {
        foreach (var file in (string[])[Path.Combine(_folder, "none.pcap"), Path.Combine(_folder, "nowhere", "none.pcap")])
        {
            Assert.Contains(expected, Told(() => CaptureFile.Open(file), file, language), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("en", "Zeek's log of \"dns\"")]
    [InlineData("ja", "Zeekの「dns」ログ")]
    public void Another_log_of_zeek_is_named(string language, string expected) =>
        Assert.Contains(expected, Told(() => new ZeekConnReader(new StringReader("#path\tdns\n")).Read(), "dns.log", language), StringComparison.Ordinal);

    [Theory]
    [InlineData("en", "lacks the fields id.orig_h, id.resp_h.")]
    [InlineData("ja", "不足している項目: id.orig_h, id.resp_h）")]
    public void Missing_fields_are_named(string language, string expected) =>
        Assert.Contains(expected, Told(() => new ZeekConnReader(new StringReader("ts,name\n")).Read(), "list.csv", language), StringComparison.Ordinal);

    [Theory]
    [InlineData("en", "There is no interface nowhere0.")]
    [InlineData("ja", "インターフェース nowhere0 はありません。")]
    public void An_interface_is_named(string language, string expected) =>
        Assert.StartsWith(expected, FaultTexts.Of(new CaptureException(CaptureFault.NoSuchInterface, "nowhere0"), "", language), StringComparison.Ordinal);

    [Theory]
    [InlineData("en", "another program already listens there")]
    [InlineData("ja", "ほかのプログラムがすでに待ち受けています")]
    public void A_port_that_is_taken_is_said_so(string language, string expected)
    {
        using var first = new FlowListener(new() { Address = IPAddress.Loopback, Port = 0 }, _ => { }, TimeProvider.System);

        var text = Told(() => new FlowListener(new() { Address = IPAddress.Loopback, Port = first.Port }, _ => { }, TimeProvider.System), $"127.0.0.1:{first.Port}", language);

        Assert.StartsWith($"127.0.0.1:{first.Port}: ", text, StringComparison.Ordinal);
        Assert.Contains(expected, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en", "nobody listens there")]
    [InlineData("ja", "相手が待ち受けていません")]
    public async Task A_collector_that_does_not_listen_is_said_so(string language, string expected)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var address = (IPEndPoint)taken.LocalEndPoint!;

        var fault = await Assert.ThrowsAsync<SocketException>(() => IpfixExporter.ConnectAsync(address, overTcp: true, new(), TimeProvider.System, TestContext.Current.CancellationToken));

        Assert.Contains(expected, FaultTexts.Of(fault, $"{address}", language), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_of_the_program_has_no_text() => Assert.Null(FaultTexts.Of(new InvalidOperationException(), "file", "en"));

    [Fact]
    public void No_place_stays_open()
    {
        Exception[] faults =
        [
            .. Enum.GetValues<CaptureFault>().Select(f => new CaptureException(f, "eth0", "poll")),
            .. Enum.GetValues<SocketError>().Select(e => new SocketException((int)e)),
            new FileNotFoundException(), new UnauthorizedAccessException(), new IOException("full"),
        ];

        Assert.All(faults, f => Assert.All((string[])["ja", "en"], l => Assert.DoesNotMatch(@"\{\w+\}", FaultTexts.Of(f, "file", l)!)));
    }

    private static string Told(Func<object?> call, string subject, string language)
    {
        var fault = Record.Exception(() => { _ = call(); });
        Assert.NotNull(fault);
        return FaultTexts.Of(fault, subject, language)!;
    }

    [GeneratedRegex(@"[\u3040-\u30ff\u4e00-\u9fff]")]
    private static partial Regex Japanese();
}
