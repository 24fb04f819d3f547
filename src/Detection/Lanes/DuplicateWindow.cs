using System.Globalization;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// The last 128 message identifiers of a device, as 64-bit prefixes. Grows from 16 so that devices without sequence numbers cost nothing.
/// One lane at a time.
/// </summary>
internal struct DuplicateWindow
{
    public const int Capacity = 128;
    private const int First = 16;

    private ulong[]? _seen;
    private int _count;
    private int _next;
    private int _fresh;

    /// <summary>Prefix of an identifier of 32 hex digits; others are hashed.</summary>
    public static ulong Prefix(string messageId) =>
        messageId.Length >= 16 && ulong.TryParse(messageId.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var prefix)
            ? prefix
            : StableHash.Of("", messageId);

    public readonly int Count => _count;

    /// <summary>How many of the newest entries were added since <see cref="Settle"/>.</summary>
    public readonly int Fresh => _fresh;

    /// <summary>Oldest first.</summary>
    public readonly ulong this[int index] => _seen![_count < Capacity ? index : (_next + index) % Capacity];

    /// <summary>What is here now is stored.</summary>
    public void Settle() => _fresh = 0;

    /// <summary>True when it was there; else it is now.</summary>
    public bool SeenOrAdd(ulong prefix)
    {
        if (_count > 0 && _seen.AsSpan(0, _count).Contains(prefix))
        {
            return true;
        }

        Add(prefix);
        return false;
    }

    public void Add(ulong prefix)
    {
        if (_seen is null || (_count == _seen.Length && _count < Capacity))
        {
            Array.Resize(ref _seen, _seen is null ? First : _seen.Length * 2);
        }

        _seen[_next] = prefix;
        _next = (_next + 1) % Capacity;
        _count = Math.Min(_count + 1, Capacity);
        _fresh = Math.Min(_fresh + 1, Capacity);
    }
}
