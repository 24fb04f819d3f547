using System.Security.Cryptography;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Signatures;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Templates;

public class SignedFileTests
{
    private static readonly string Car = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "templates", "car-mobility", "template.yaml"));

    [Fact]
    public void A_signed_file_is_still_the_file_and_says_who_signed_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signed = SignedFile.Sign(Car, key);
        Assert.Equal(SignatureVerdict.Good, SignedFile.Verify(signed, [key], out var body, out var signer));
        Assert.Equal((Car, SignedFile.IdentifierOf(key)), (body, signer));

        // The signature is a comment: who does not look at it reads the same template.
        var faults = new List<string>();
        var reader = new TemplateReader(DetectionFeature.Kinds);
        Assert.Equal(reader.Read("a", Car, faults)!.Conditions.Select(c => c.Key), reader.Read("a", signed, faults)!.Conditions.Select(c => c.Key));
        Assert.Empty(faults);

        // Signing again replaces the signature.
        Assert.Equal(SignatureVerdict.Good, SignedFile.Verify(SignedFile.Sign(signed, key), [key], out body, out _));
        Assert.Equal(Car, body);
        Assert.Equal(SignatureVerdict.NotSigned, SignedFile.Verify(Car, [key], out body, out signer));
        Assert.Equal((Car, null), (body, signer));
    }

    [Fact]
    public void Any_change_after_signing_is_seen()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signed = SignedFile.Sign("id: a\nversion: 1\n", key);
        Assert.Equal(SignatureVerdict.UnknownSigner, SignedFile.Verify(signed, [other], out _, out var signer));
        Assert.Equal(SignedFile.IdentifierOf(key), signer);
        Assert.Equal(SignatureVerdict.Tampered, SignedFile.Verify(signed + "more: 1\n", [key], out _, out _));
        Assert.Equal(SignatureVerdict.Tampered, SignedFile.Verify("x: 1\n" + signed, [key], out _, out _));
        Assert.Equal(SignatureVerdict.Tampered, SignedFile.Verify(signed.Replace("\n", "\r\n", StringComparison.Ordinal), [key], out _, out _));
        Assert.Equal(SignatureVerdict.Tampered, SignedFile.Verify(signed.Replace(" v1 ", " v2 ", StringComparison.Ordinal), [key], out _, out _));
        var random = Fuzz.Source(8);
        for (var i = Fuzz.Rounds(300); i > 0; i--)
        {
            var text = signed.ToCharArray();
            var at = random.Next(text.Length - 1);
            var now = (char)random.Next(32, 127);
            if (text[at] == now)
            {
                continue;
            }

            text[at] = now;
            var verdict = SignedFile.Verify(new string(text), [key], out _, out _);
            Assert.NotEqual(SignatureVerdict.Good, verdict);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64!")]
    [InlineData("AAAA")]
    public void What_is_no_public_key_is_none(string text) => Assert.Null(SignedFile.KeyOf(text));
}
