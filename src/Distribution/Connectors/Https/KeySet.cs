namespace Sekisho.Distribution.Connectors.Https;

/// <summary>
/// Recognises a property name that stands twice in one object, without a string per name and in constant time per name however many an attacker
/// sends (the hash is seeded per process). One thread at a time; used again for the next request.
/// </summary>
internal sealed class KeySet
{
    private const int Smallest = 64;
    private const int Kept = 4096;
    private int[] _slots = new int[Smallest * 2];
    private Entry[] _entries = new Entry[Smallest];
    private byte[] _unescaped = new byte[256];
    private int _count;
    private int _used;

    /// <summary>Forgets all names.</summary>
    public void Clear()
    {
        if (_entries.Length > Kept)
        {
            (_slots, _entries) = (new int[Smallest * 2], new Entry[Smallest]);
        }
        else if (_count > 0)
        {
            Array.Clear(_slots);
        }

        if (_unescaped.Length > Kept)
        {
            _unescaped = new byte[256];
        }

        (_count, _used) = (0, 0);
    }

    /// <summary>Adds a name that stands in the body as it is.</summary>
    /// <returns>False when the object has it already.</returns>
    public bool Add(int owner, ReadOnlySpan<byte> body, int offset, int length) => Add(owner, body, body.Slice(offset, length), offset);

    /// <summary>Adds a name that had to be unescaped.</summary>
    public bool AddUnescaped(int owner, ReadOnlySpan<byte> body, ReadOnlySpan<byte> name)
    {
        if (_unescaped.Length - _used < name.Length)
        {
            Array.Resize(ref _unescaped, Math.Max(_unescaped.Length * 2, _used + name.Length));
        }

        name.CopyTo(_unescaped.AsSpan(_used));
        _used += name.Length;
        return Add(owner, body, name, ~(_used - name.Length));
    }

    private bool Add(int owner, ReadOnlySpan<byte> body, ReadOnlySpan<byte> name, int offset)
    {
        if (_count == _entries.Length)
        {
            Grow();
        }

        var hasher = default(HashCode);
        hasher.Add(owner);
        hasher.AddBytes(name);
        var hash = hasher.ToHashCode();
        var mask = _slots.Length - 1;
        var slot = hash & mask;
        for (; _slots[slot] != 0; slot = (slot + 1) & mask)
        {
            ref var other = ref _entries[_slots[slot] - 1];
            if (other.Hash == hash && other.Owner == owner && name.SequenceEqual(NameOf(other, body)))
            {
                return false;
            }
        }

        _entries[_count++] = new Entry(owner, hash, offset, name.Length);
        _slots[slot] = _count;
        return true;
    }

    private ReadOnlySpan<byte> NameOf(in Entry entry, ReadOnlySpan<byte> body) =>
        entry.Offset >= 0 ? body.Slice(entry.Offset, entry.Length) : _unescaped.AsSpan(~entry.Offset, entry.Length);

    private void Grow()
    {
        Array.Resize(ref _entries, _entries.Length * 2);
        _slots = new int[_entries.Length * 2];
        var mask = _slots.Length - 1;
        for (var i = 0; i < _count; i++)
        {
            var slot = _entries[i].Hash & mask;
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }

            _slots[slot] = i + 1;
        }
    }

    private readonly record struct Entry(int Owner, int Hash, int Offset, int Length);
}
