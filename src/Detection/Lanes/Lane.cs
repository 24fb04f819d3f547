namespace Sekisho.Detection.Lanes;

/// <summary>The 64 fixed lanes. Everything about one subject happens in its lane, in order.</summary>
internal static class Lane
{
    public const int Count = 64;

    /// <summary>Lane of a subject, 0 to 63. Never changes: stored states carry it.</summary>
    public static int Of(string scope, string key) => (int)(StableHash.Of(scope, key) % Count);
}
