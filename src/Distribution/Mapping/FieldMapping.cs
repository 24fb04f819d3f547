namespace Sekisho.Distribution.Mapping;

/// <summary>Where a field's messages carry what the gateway reads, and what becomes of single properties. All are JSON pointers.</summary>
/// <param name="DeviceTime">Device time: ISO 8601 with offset, or Unix seconds or milliseconds as a number; null when there is none.</param>
/// <param name="Sequence">Sequence number or message id, number or text of at most 64 characters; null when there is none.</param>
/// <param name="Mode">Operating mode, text of at most 32 characters; null when there is none.</param>
/// <param name="Sensitive">Kept, but masked by role.</param>
/// <param name="Transient">Seen by detection, never stored past it and never forwarded.</param>
/// <param name="Dropped">Neither seen nor kept.</param>
/// <param name="Place">Where the device is (room, site), text of at most 32 printable characters of ASCII without space; null when there is none.</param>
/// <param name="Path">The way the message took to the gateway (relays, hops), text of at most 128 characters; null when there is none.</param>
internal sealed record FieldMapping(
    string? DeviceTime, string? Sequence, string? Mode, IReadOnlyList<string> Sensitive, IReadOnlyList<string> Transient, IReadOnlyList<string> Dropped,
    string? Place = null, string? Path = null)
{
    /// <summary>What holds for a field that sets none.</summary>
    public static readonly FieldMapping Default = new("/time", "/seq", "/mode", [], [], []);
}

/// <summary>What a mapping does at one place.</summary>
[Flags]
internal enum MappingAct
{
    None = 0,
    DeviceTime = 1,
    Sequence = 2,
    Mode = 4,
    Transient = 8,
    Dropped = 16,
    Place = 32,
    Path = 64,
}

/// <summary>
/// A mapping as a tree that is walked beside the JSON, one step per property or element. Immutable once built. Where a name and the wildcard both
/// lead on, the wildcard's part is merged into the name's, so a walk needs one node only.
/// </summary>
internal sealed class MappingNode
{
    private readonly List<(byte[] Name, int Index, MappingNode Node)> _children;
    private MappingNode? _every;

    private MappingNode() => _children = [];

    private MappingNode(MappingNode root) => (_children, _every, Act, Cuts, Lenient) = (root._children, root._every, root.Act, root.Cuts, this);

    /// <summary>The same mapping for messages whose names may stand twice in one object.</summary>
    public MappingNode Lenient { get; private set; } = null!;

    /// <summary>True at the root of such a mapping.</summary>
    public bool IsLenient { get; private init; }

    public MappingAct Act { get; private set; }

    /// <summary>True when something at or below this place leaves the payload.</summary>
    public bool Cuts { get; private set; }

    public static MappingNode Build(FieldMapping mapping)
    {
        var root = new MappingNode();
        root.Add(mapping.DeviceTime, MappingAct.DeviceTime, wildcards: false);
        root.Add(mapping.Sequence, MappingAct.Sequence, wildcards: false);
        root.Add(mapping.Mode, MappingAct.Mode, wildcards: false);
        root.Add(mapping.Place, MappingAct.Place, wildcards: false);
        root.Add(mapping.Path, MappingAct.Path, wildcards: false);
        foreach (var pointer in mapping.Transient)
        {
            root.Add(pointer, MappingAct.Transient, wildcards: true);
        }

        foreach (var pointer in mapping.Dropped)
        {
            root.Add(pointer, MappingAct.Dropped, wildcards: true);
        }

        root.Finish();
        root.Lenient = new MappingNode(root) { IsLenient = true };
        return root;
    }

    /// <summary>The node of a property, or null when the mapping says nothing about it.</summary>
    public MappingNode? Property(ReadOnlySpan<byte> name)
    {
        foreach (var child in _children)
        {
            if (name.SequenceEqual(child.Name))
            {
                return child.Node;
            }
        }

        return null;
    }

    /// <summary>The node of an array's element.</summary>
    public MappingNode? Element(int index)
    {
        foreach (var child in _children)
        {
            if (child.Index == index)
            {
                return child.Node;
            }
        }

        return _every;
    }

    private void Add(string? pointer, MappingAct act, bool wildcards)
    {
        if (pointer is null)
        {
            return;
        }

        var segments = Pointer.Parse(pointer) ?? throw new ArgumentException($"'{pointer}' is no JSON pointer.", nameof(pointer));
        var nodes = new List<MappingNode> { this };
        foreach (var segment in segments)
        {
            var next = nodes.Select(n => n.Child(segment)).ToList();

            // "*" is a wildcard in arrays and an ordinary name in objects.
            if (wildcards && segment == "*")
            {
                next.AddRange(nodes.Select(n => n._every ??= new MappingNode()));
            }

            nodes = next;
        }

        foreach (var node in nodes)
        {
            node.Act |= act;
        }
    }

    private MappingNode Child(string segment)
    {
        var name = System.Text.Encoding.UTF8.GetBytes(segment);
        foreach (var child in _children)
        {
            if (child.Name.AsSpan().SequenceEqual(name))
            {
                return child.Node;
            }
        }

        // Array indexes have no sign and no leading zero (RFC 6901 section 4).
        var index = segment.Length is > 0 and < 10 && segment.All(char.IsAsciiDigit) && (segment == "0" || segment[0] != '0')
            ? int.Parse(segment, System.Globalization.CultureInfo.InvariantCulture)
            : -1;
        var added = new MappingNode();
        _children.Add((name, index, added));
        return added;
    }

    private void Finish()
    {
        foreach (var child in _children)
        {
            if (_every is not null && child.Index >= 0)
            {
                child.Node.Merge(_every);
            }

            child.Node.Finish();
        }

        _every?.Finish();
        Cuts = (Act & (MappingAct.Transient | MappingAct.Dropped)) != 0 || (_every?.Cuts ?? false) || _children.Any(c => c.Node.Cuts);
    }

    private void Merge(MappingNode other)
    {
        Act |= other.Act;
        foreach (var (name, _, node) in other._children)
        {
            Child(System.Text.Encoding.UTF8.GetString(name)).Merge(node);
        }

        if (other._every is not null)
        {
            (_every ??= new MappingNode()).Merge(other._every);
        }
    }
}
