using System.Buffers.Binary;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Records;

/// <summary>Where messages come from: one transport session of an exporter (RFC 7011, 2).</summary>
/// <param name="Address">Address of the exporter.</param>
/// <param name="Port">Its port.</param>
/// <param name="IsStream">Whether it is a connection (TCP): templates then hold until they are withdrawn or the connection ends.</param>
public readonly record struct FlowSource(NetAddress Address, int Port, bool IsStream);

/// <summary>How much a decoder keeps.</summary>
public sealed record FlowDecoderLimits
{
    /// <summary>Observation domains of exporters, together. The one that was silent longest is forgotten for a new one.</summary>
    public int Domains { get; init; } = 256;

    /// <summary>Templates of each domain.</summary>
    public int TemplatesPerDomain { get; init; } = 256;

    /// <summary>Fields of a template.</summary>
    public int FieldsPerTemplate { get; init; } = 256;

    /// <summary>How long a template holds that came in a datagram and is not sent again.</summary>
    public TimeSpan TemplateLifetime { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>
/// Reads the messages of flow exporters: NetFlow v5, NetFlow v9 (RFC 3954), IPFIX (RFC 7011) with records of both directions (RFC 5103).
/// Never throws for what a message holds. One thread at a time.
/// </summary>
/// <remarks>
/// Header of v5, 24 bytes: version 2, count 2, uptime 4, seconds 4, nanoseconds 4, sequence 4, engine 2, sampling 2. Then records of 48 bytes.
/// Header of v9, 20 bytes: version 2, count 2, uptime 4, seconds 4, sequence 4, source 4. Header of IPFIX, 16 bytes: version 2, length 2, seconds 4, sequence 4, domain 4.
/// Then sets: number 2, length 2 with these four bytes, records.
/// </remarks>
public sealed class FlowDecoder(FlowDecoderLimits? limits = null)
{
    internal const int Version5 = 5;
    internal const int Version9 = 9;
    internal const int Ipfix = 10;
    internal const int Header5 = 24;
    internal const int Record5 = 48;
    internal const int IpfixHeader = 16;

    private const int Header9 = 20;
    private const int SetHeader = 4;
    private const int FirstDataSet = 256;
    private const long Second = 1_000_000_000;

    private readonly FlowDecoderLimits _limits = limits ?? new();
    private readonly Dictionary<DomainKey, Domain> _domains = [];
    private Tallies _tallies;

    /// <summary>What was counted since the decoder was made.</summary>
    public FlowCounts Counts => new()
    {
        Messages = _tallies.Messages,
        Records = _tallies.Records,
        Malformed = _tallies.Malformed,
        WithoutTemplate = _tallies.WithoutTemplate,
        OtherRecords = _tallies.OtherRecords,
        LostRecords = _tallies.LostRecords,
        LostMessages = _tallies.LostMessages,
        OutOfOrder = _tallies.OutOfOrder,
        TemplatesExpired = _tallies.TemplatesExpired,
        TemplatesRefused = _tallies.TemplatesRefused,
        ExportersForgotten = _tallies.ExportersForgotten,
    };

    /// <summary>Reads one message and adds its records to a list.</summary>
    /// <param name="message">A datagram, or a message cut out of a stream.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="arrival">When it came, in nanoseconds since 1970; templates age by it.</param>
    /// <param name="into">Gets the records.</param>
    public void Decode(ReadOnlySpan<byte> message, FlowSource source, long arrival, ICollection<FlowRecord> into)
    {
        _tallies.Messages++;
        var version = message.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(message);
        switch (version)
        {
            case Version5 when message.Length >= Header5:
                DecodeFive(message, source, arrival, into);
                break;
            case Version9 when message.Length >= Header9:
                DecodeNine(message, source, arrival, into);
                break;
            case Ipfix when message.Length >= IpfixHeader:
                DecodeIpfix(message, source, arrival, into);
                break;
            default:
                _tallies.Malformed++;
                break;
        }
    }

    /// <summary>A connection ended: what was known of it holds no longer.</summary>
    public void Forget(FlowSource source)
    {
        foreach (var key in _domains.Keys.Where(key => key.Source == source).ToList())
        {
            _domains.Remove(key);
        }
    }

    private static uint Number32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);

    private static int Number16(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]);

    private void DecodeFive(ReadOnlySpan<byte> message, FlowSource source, long arrival, ICollection<FlowRecord> into)
    {
        var count = Number16(message, 2);
        var fitting = Math.Min(count, (message.Length - Header5) / Record5);
        if (fitting < count)
        {
            _tallies.Malformed++;
        }

        var uptime = Number32(message, 4);
        var exported = (Number32(message, 8) * Second) + Math.Min(Number32(message, 12), Second - 1);
        var domain = DomainOf(new(source, Version5, (uint)Number16(message, 20)), arrival);
        _tallies.LostRecords += domain.Follow(Number32(message, 16), (uint)count, ref _tallies.OutOfOrder);
        for (var i = 0; i < fitting; i++)
        {
            into.Add(NetFlow5.Read(message.Slice(Header5 + (i * Record5), Record5), source.Address, exported, uptime, Number16(message, 22) & 0x3FFF));
            _tallies.Records++;
        }
    }

    private void DecodeNine(ReadOnlySpan<byte> message, FlowSource source, long arrival, ICollection<FlowRecord> into)
    {
        var domain = DomainOf(new(source, Version9, Number32(message, 16)), arrival);
        _tallies.LostMessages += domain.Follow(Number32(message, 12), 1, ref _tallies.OutOfOrder);
        var context = new Context(source, domain, arrival, Number32(message, 8) * Second, Number32(message, 4), Version9);
        _ = Sets(message[Header9..], context, into);
    }

    private void DecodeIpfix(ReadOnlySpan<byte> message, FlowSource source, long arrival, ICollection<FlowRecord> into)
    {
        var length = Number16(message, 2);
        if (length < IpfixHeader || length > message.Length)
        {
            _tallies.Malformed++;
            return;
        }

        var domain = DomainOf(new(source, Ipfix, Number32(message, 12)), arrival);
        var context = new Context(source, domain, arrival, Number32(message, 4) * Second, Uptime: null, Ipfix);
        var before = _tallies.Records + _tallies.OtherRecords;
        if (Sets(message[IpfixHeader..length], context, into) is { } records)
        {
            var flows = (uint)(_tallies.Records + _tallies.OtherRecords - before);
            _tallies.LostRecords += domain.Follow(Number32(message, 8), records, ref _tallies.OutOfOrder, flows);
        }
        else
        {
            // How many records the unreadable sets hold nobody knows, so the next number cannot be foretold.
            domain.LoseTrack();
        }
    }

    /// <summary>How many records of data there were; null if some could not be counted.</summary>
    private uint? Sets(ReadOnlySpan<byte> sets, in Context context, ICollection<FlowRecord> into)
    {
        uint? records = 0;
        while (sets.Length >= SetHeader)
        {
            var number = Number16(sets, 0);
            var length = Number16(sets, 2);
            if (length < SetHeader || length > sets.Length)
            {
                _tallies.Malformed++;
                return null;
            }

            var body = sets[SetHeader..length];
            if (number >= FirstDataSet)
            {
                records += Data((ushort)number, body, context, into);
            }
            else if ((context.Version, number) is (Version9, 0 or 1) or (Ipfix, 2 or 3))
            {
                var reader = new TemplateReader(_limits, context.Version, isOptions: number is 1 or 3, context.Source.IsStream);
                reader.Read(body, context.Domain.Templates, context.Arrival, ref _tallies.Malformed, ref _tallies.TemplatesRefused);
            }

            sets = sets[length..];
        }

        return records;
    }

    private uint? Data(ushort number, ReadOnlySpan<byte> body, in Context context, ICollection<FlowRecord> into)
    {
        var domain = context.Domain;
        if (!domain.Templates.TryGetValue(number, out var template))
        {
            _tallies.WithoutTemplate++;
            return null;
        }

        if (!context.Source.IsStream && context.Arrival - template.Told > _limits.TemplateLifetime.Ticks * 100)
        {
            domain.Templates.Remove(number);
            _tallies.TemplatesExpired++;
            _tallies.WithoutTemplate++;
            return null;
        }

        uint records = 0;
        while (body.Length >= template.LeastLength)
        {
            FlowBuilder builder = default;
            if (!TryFields(template, ref body, ref builder, context.Exported))
            {
                _tallies.Malformed++;
                return null;
            }

            records++;
            if (template.IsOptions)
            {
                domain.Boot = builder.Boot ?? domain.Boot;
                domain.Sampling = builder.Sampling == 0 ? domain.Sampling : builder.Sampling;
            }
            else if (builder.Build(context.Source.Address, context.Exported, context.Uptime, domain.Boot, domain.Sampling) is { } record)
            {
                into.Add(record);
                _tallies.Records++;
            }
            else
            {
                _tallies.OtherRecords++;
            }
        }

        return records;
    }

    private static bool TryFields(Template template, ref ReadOnlySpan<byte> body, ref FlowBuilder builder, long exported)
    {
        foreach (ref readonly var field in template.Fields.AsSpan())
        {
            int length = field.Length;
            if (length == Template.Variable)
            {
                if (body.IsEmpty)
                {
                    return false;
                }

                length = body[0];
                body = body[1..];
                if (length == 255)
                {
                    if (body.Length < 2)
                    {
                        return false;
                    }

                    length = Number16(body, 0);
                    body = body[2..];
                }
            }

            if (length > body.Length)
            {
                return false;
            }

            builder.Put(field, body[..length], exported);
            body = body[length..];
        }

        return true;
    }

    private Domain DomainOf(DomainKey key, long arrival)
    {
        if (!_domains.TryGetValue(key, out var domain))
        {
            if (_domains.Count >= _limits.Domains)
            {
                _domains.Remove(_domains.MinBy(pair => pair.Value.Heard).Key);
                _tallies.ExportersForgotten++;
            }

            domain = new();
            _domains.Add(key, domain);
        }

        domain.Heard = arrival;
        return domain;
    }

    private readonly record struct DomainKey(FlowSource Source, int Version, uint Number);

    private readonly record struct Context(FlowSource Source, Domain Domain, long Arrival, long Exported, uint? Uptime, int Version);

    private struct Tallies
    {
        public long Messages;
        public long Records;
        public long Malformed;
        public long WithoutTemplate;
        public long OtherRecords;
        public long LostRecords;
        public long LostMessages;
        public long OutOfOrder;
        public long TemplatesExpired;
        public long TemplatesRefused;
        public long ExportersForgotten;
    }

    /// <summary>What is known of one observation domain of one exporter.</summary>
    private sealed class Domain
    {
        private const int Restarted = 10_000;

        private uint? _next;
        private uint? _last;
        private bool _countsItself;

        internal Dictionary<ushort, Template> Templates { get; } = [];

        internal long Heard { get; set; }

        internal long? Boot { get; set; }

        internal int Sampling { get; set; } = 1;

        /// <summary>
        /// Compares a sequence number with the one that is due, and says how many units are missing before it. A message that comes late takes back what was missing.
        /// A number that lies far behind or far ahead is that of an exporter that began anew. softflowd's numbers of IPFIX count the flows of the message itself too;
        /// that is seen by the first message, or by a number that seems to come late and fits that way.
        /// </summary>
        internal long Follow(uint sequence, uint units, ref long outOfOrder, uint flows = 0)
        {
            var gap = _next is { } next ? unchecked((int)(sequence - next)) : 0;
            _countsItself = flows > 0 && (_last is { } last
                ? (_countsItself || gap < 0) && unchecked(sequence - flows) == last
                : sequence == flows);
            if (_countsItself)
            {
                gap = 0;
            }

            if (gap is < 0 and > -Restarted)
            {
                outOfOrder++;
                return -Math.Min(units, -(long)gap);
            }

            (_last, _next) = (sequence, unchecked(sequence + units));
            return gap is > 0 and < Restarted * 100 ? gap : 0;
        }

        internal void LoseTrack() => _next = null;
    }
}
