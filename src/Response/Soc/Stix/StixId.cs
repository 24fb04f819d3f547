using System.Security.Cryptography;
using System.Text;

namespace Sekisho.Response.Soc.Stix;

/// <summary>Identifiers of STIX objects (STIX 2.1, 2.9), made of what they stand for with UUID version 5 (RFC 9562, 5.5), so that the same thing has the same one. Pure.</summary>
internal static class StixId
{
    /// <summary>Namespace of observables (STIX 2.1, 2.9).</summary>
    private static readonly Guid Observables = new("00abedb4-aa42-466c-9c01-fed23315a9b7");

    /// <summary>Namespace of everything else: Uuid5 of the URL namespace (RFC 9562) and "urn:sekisho:stix".</summary>
    private static readonly Guid Own = Uuid5(new Guid("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), "urn:sekisho:stix");

    public static string Of(string type, string what) => $"{type}--{Uuid5(Own, type + "\n" + what)}";

    /// <param name="type">Type of the observable.</param>
    /// <param name="canonical">Its identifying properties as canonical JSON (RFC 8785).</param>
    public static string OfObservable(string type, string canonical) => $"{type}--{Uuid5(Observables, canonical)}";

    public static Guid Uuid5(Guid space, string name)
    {
        var text = Encoding.UTF8.GetBytes(name);
        var input = new byte[16 + text.Length];
        space.TryWriteBytes(input, bigEndian: true, out _);
        text.CopyTo(input, 16);
#pragma warning disable CA5350 // RFC 9562 says SHA-1; it names, it protects nothing.
        var hash = SHA1.HashData(input);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }
}
