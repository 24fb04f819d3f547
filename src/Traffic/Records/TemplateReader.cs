using System.Buffers.Binary;

namespace Sekisho.Traffic.Records;

/// <summary>Reads sets of templates and of options templates (RFC 3954, 5.2 and 6.1; RFC 7011, 3.4).</summary>
internal readonly ref struct TemplateReader(FlowDecoderLimits limits, int version, bool isOptions, bool isStream)
{
    private const int FirstTemplate = 256;

    private bool IsIpfix => version == FlowDecoder.Ipfix;

    internal void Read(ReadOnlySpan<byte> body, Dictionary<ushort, Template> templates, long arrival, ref long malformed, ref long refused)
    {
        // Fewer than four bytes are padding.
        while (body.Length >= 4)
        {
            var number = BinaryPrimitives.ReadUInt16BigEndian(body);
            if (number < FirstTemplate)
            {
                // Padding of more than three bytes, or a withdrawal of all templates.
                if (IsIpfix && isStream && number is 2 or 3 && BinaryPrimitives.ReadUInt16BigEndian(body[2..]) == 0)
                {
                    Withdraw(templates, options: number == 3);
                }
                else if (number != 0)
                {
                    malformed++;
                }

                return;
            }

            if (!TryRead(ref body, out var fields))
            {
                malformed++;
                return;
            }

            if (fields.Length == 0)
            {
                // A withdrawal. Over UDP, where messages overtake each other, there are none (RFC 7011, 8.4).
                if (isStream)
                {
                    templates.Remove(number);
                }

                continue;
            }

            if (fields.Length > limits.FieldsPerTemplate || (templates.Count >= limits.TemplatesPerDomain && !templates.ContainsKey(number)))
            {
                refused++;
                continue;
            }

            var template = new Template(fields, isOptions);

            // Records without a byte would be without number.
            if (template.LeastLength == 0)
            {
                malformed++;
                continue;
            }

            template.Told = arrival;
            templates[number] = template;
        }
    }

    private static void Withdraw(Dictionary<ushort, Template> templates, bool options)
    {
        foreach (var number in templates.Where(pair => pair.Value.IsOptions == options).Select(pair => pair.Key).ToList())
        {
            templates.Remove(number);
        }
    }

    private bool TryRead(ref ReadOnlySpan<byte> body, out Template.Field[] fields)
    {
        fields = [];
        int count = BinaryPrimitives.ReadUInt16BigEndian(body[2..]);
        var scopes = 0;
        var header = 4;
        if (isOptions && (count > 0 || !IsIpfix))
        {
            header = 6;
            if (body.Length < header)
            {
                return false;
            }

            scopes = BinaryPrimitives.ReadUInt16BigEndian(body[4..]);
            if (!IsIpfix)
            {
                // NetFlow v9 tells lengths in bytes, first that of the scopes.
                (count, scopes) = ((count + scopes) / 4, count / 4);
            }
        }

        body = body[header..];
        if (scopes > count || count * 4 > body.Length)
        {
            return false;
        }

        fields = new Template.Field[count];
        for (var i = 0; i < count; i++)
        {
            if (body.Length < 4)
            {
                return false;
            }

            var element = BinaryPrimitives.ReadUInt16BigEndian(body);
            var length = BinaryPrimitives.ReadUInt16BigEndian(body[2..]);
            body = body[4..];
            uint enterprise = 0;
            if (IsIpfix && (element & 0x8000) != 0)
            {
                if (body.Length < 4)
                {
                    return false;
                }

                enterprise = BinaryPrimitives.ReadUInt32BigEndian(body);
                body = body[4..];
                element &= 0x7FFF;
            }

            fields[i] = new(element, enterprise, length, i < scopes && !IsIpfix);
        }

        return true;
    }
}
