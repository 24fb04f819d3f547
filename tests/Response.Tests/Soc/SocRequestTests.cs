using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Soc.Receivers;
using Sekisho.Response.Soc.Sending;
using Sekisho.Response.Soc.Status;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Soc;

public class SocRequestTests
{
    private static readonly TestCa Ca = new("Sekisho test authority");
    private static readonly Texts Texts = new([typeof(Problem).Assembly, typeof(ResponseFeature).Assembly]);
    private static readonly SocReceiverRequest Right = new("SOC", "soc.example.jp", 6514, null, null, Ca.Certificate, null, Ca.Client.Certificate, Ca.Client.Key, "cef", "ja", null, null, null, ["names"], null, null, null);

    [Fact]
    public void A_key_stays_with_its_certificate_and_goes_with_it()
    {
        var (first, _) = Right.Read("s1", "cars", null, Texts, "en");
        Assert.Equal(Ca.Client.Key, (Right with { ClientKey = null }).Read("s1", "cars", first, Texts, "en").Receiver!.ClientKey);
        Assert.Null((Right with { ClientKey = null, ClientCertificate = null }).Read("s1", "cars", first, Texts, "en").Receiver!.ClientKey);
        var other = new TestCa("Another");
        Assert.Equal("/clientCertificate", Assert.Single((Right with { ClientKey = null, ClientCertificate = other.Client.Certificate }).Read("s1", "cars", first, Texts, "en").Faults).Place);
        Assert.Equal("/clientCertificate", Assert.Single((Right with { ClientKey = other.Client.Key }).Read("s1", "cars", first, Texts, "en").Faults).Place);
    }

    [Fact]
    public void Whatever_is_sent_as_a_receiver_is_taken_or_its_faults_are_named()
    {
        var random = Fuzz.Source(20260402);
        var (taken, refused) = (0, 0);
        for (var round = 0; round < Fuzz.Rounds(2_000); round++)
        {
            var request = random.Next(6) switch
            {
                0 => Right with { TrustAnchors = Spoil(Ca.Certificate, random) },
                1 => Right with { ClientCertificate = Spoil(Ca.Client.Certificate, random) },
                2 => Right with { ClientKey = Spoil(Ca.Client.Key, random) },
                3 => Right with { Host = Spoil("soc.example.jp", random), ServerName = Spoil("soc.example.jp", random) },
                4 => Right with { MostAge = Spoil("7.00:00:00", random), Name = Spoil("SOC", random) },
                _ => Right with { Include = new SocFilterRequest(Devices: [Spoil("d1", random), null]), Allowed = [Spoil("names", random), null] },
            };
            var (receiver, faults) = request.Read("s1", "cars", null, Texts, "ja");
            Assert.Equal(receiver is null, faults.Count > 0);
            _ = receiver is null ? refused++ : taken++;
        }

        Assert.True(taken > 20 && refused > 20, $"{taken} taken, {refused} refused");
    }

    [Fact]
    public void Every_sector_mark_and_cause_has_its_text_and_there_are_fourteen_sectors()
    {
        Assert.Equal(14, Sectors.All.Distinct().Count());
        var needed = Sectors.All.Select(s => "soc.sector." + s).Concat(PrivacyMarks.All.Select(m => "soc.mark." + m)).Concat(SocFaults.All.Select(c => "soc.cause." + c))
            .Concat(Domain.History.HistoryKinds.All.SelectMany(k => new[] { "soc.title." + k, "soc.message." + k }));
        Assert.Empty(needed.Except(Texts.Keys("ja")));
        Assert.Equal(3, SocStatuses.All.Count);
    }

    private static string Spoil(string text, Random random)
    {
        var spoilt = text.ToCharArray();
        for (var i = random.Next(3); i > 0; i--)
        {
            spoilt[random.Next(spoilt.Length)] = (char)random.Next(1, 0x180);
        }

        return new string(spoilt)[..(random.Next(3) == 0 ? random.Next(spoilt.Length) : spoilt.Length)];
    }
}
