using System.Security.Cryptography;
using Sekisho.Domain.Signatures;

namespace Sekisho.Response.Tests.Support;

/// <summary>The keys that the detection stage would know: one of its own, and those that it was told to trust. Any thread.</summary>
internal sealed class Signatures : IFileSignatures, IDisposable
{
    private readonly ECDsa _own = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Keys of other gateways that are trusted.</summary>
    public List<ECDsa> Trusted { get; } = [];

    public bool AreRequired { get; set; }

    public string KeyId => SignedFile.IdentifierOf(_own);

    public string Sign(string text) => SignedFile.Sign(text, _own);

    public SignatureVerdict Verify(string text, out string body, out string? signer) => SignedFile.Verify(text, [_own, .. Trusted], out body, out signer);

    /// <summary>Trusts what another gateway signs.</summary>
    public void Trust(Signatures other) => Trusted.Add(SignedFile.KeyOf(Convert.ToBase64String(other._own.ExportSubjectPublicKeyInfo()))!);

    public void Dispose() => _own.Dispose();
}
