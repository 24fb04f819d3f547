using System.Buffers.Binary;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Journal;

/// <summary>The bodies of facts in a journal block; the picture of them is in <see cref="BlockFormat"/>. Pure.</summary>
internal static class FactFormat
{
    public static void Write(GatewayEvent item, BlockWriter to)
    {
        switch (item)
        {
            case SimFactEvent s:
                to.Text(s.FieldId);
                to.Text(s.DeviceId);
                to.Text(s.Provider);
                to.Time(s.From);
                to.Time(s.To);
                to.Count(s.UplinkBytes);
                to.Count(s.DownlinkBytes);
                to.Text(s.Address);
                to.Text(s.Session);
                to.Text(s.Cell);
                to.Text(s.Site);
                break;
            case TrafficFactEvent t:
                to.Text(t.FieldId);
                to.Text(t.DeviceId);
                to.Time(t.From);
                to.Time(t.To);
                to.Number((ulong)t.AcceptedBytes);
                to.Number((ulong)t.RepeatedBytes);
                to.Number((ulong)t.FailedBytes);
                to.Number((uint)t.Requests);
                to.Number((uint)t.Retries);
                to.Number((uint)t.Handshakes);
                to.Count(t.WireUp);
                to.Count(t.WireDown);
                break;
            case ExceptionChangedEvent x:
                to.Text(x.FieldId);
                to.Text(x.ExceptionId);
                to.Byte(x.InForce ? (byte)1 : (byte)0);
                to.Text(x.Kind);
                to.Text(x.Scope);
                to.Text(x.ConditionKey);
                to.Text(x.Subject);
                to.Text(x.Group);
                to.Text(x.Value);
                to.Time(x.Until);
                to.Text(x.By);
                to.Text(x.Reason);
                break;
            case PriorEvent p:
                to.Text(p.FieldId);
                to.Text(p.Metric);
                to.Number((uint)p.Version);
                to.Number((uint)p.Numbers.Count);
                foreach (var number in p.Numbers)
                {
                    BinaryPrimitives.WriteDoubleLittleEndian(to.Reserve(sizeof(double)), number);
                }

                break;
            case ScriptChangedEvent c:
                to.Text(c.FieldId);
                to.Text(c.ScriptId);
                to.Number((uint)c.Version);
                to.Byte(c.InForce ? (byte)1 : (byte)0);
                to.Text(c.Effect);
                to.Bytes(c.Source.Span);
                to.Text(c.By);
                to.Text(c.Reason);
                break;
            case ScriptReportEvent r:
                to.Text(r.FieldId);
                to.Text(r.ScriptId);
                to.Number((uint)r.Version);
                to.Bytes(r.Result.Span);
                to.Text(r.Fault);
                to.Byte(r.Chance ? (byte)1 : (byte)0);
                break;
            case CommandHeldEvent h:
                to.Text(h.FieldId);
                to.Text(h.DeviceId);
                to.Text(h.CommandId);
                to.Text(h.Name);
                to.Text(h.Sender);
                to.Text(h.Bound);
                to.Text(h.Argument);
                to.Text(h.Value);
                to.Text(h.Allowed);
                to.Byte((byte)((h.Measured is null ? 0 : 1) | (h.Low is null ? 0 : 2) | (h.High is null ? 0 : 4)));
                foreach (var number in (double?[])[h.Measured, h.Low, h.High])
                {
                    if (number is { } there)
                    {
                        BinaryPrimitives.WriteDoubleLittleEndian(to.Reserve(sizeof(double)), there);
                    }
                }

                break;
        }
    }

    public static SimFactEvent ReadSim(long position, DateTimeOffset at, string correlation, ref BlockReader from) => new()
    {
        Position = position,
        ArrivedAt = at,
        CorrelationId = correlation,
        FieldId = from.Required(),
        DeviceId = from.Required(),
        Provider = from.Required(),
        From = from.RequiredTime(),
        To = from.RequiredTime(),
        UplinkBytes = from.Count(),
        DownlinkBytes = from.Count(),
        Address = from.Text(),
        Session = from.Required(),
        Cell = from.Text(),
        Site = from.Text(),
    };

    public static TrafficFactEvent ReadTraffic(long position, DateTimeOffset at, string correlation, ref BlockReader from) => new()
    {
        Position = position,
        ArrivedAt = at,
        CorrelationId = correlation,
        FieldId = from.Required(),
        DeviceId = from.Required(),
        From = from.RequiredTime(),
        To = from.RequiredTime(),
        AcceptedBytes = from.Long(),
        RepeatedBytes = from.Long(),
        FailedBytes = from.Long(),
        Requests = from.Integer(),
        Retries = from.Integer(),
        Handshakes = from.Integer(),
        WireUp = from.Count(),
        WireDown = from.Count(),
    };

    public static ExceptionChangedEvent ReadException(long position, DateTimeOffset at, string correlation, ref BlockReader from) => new()
    {
        Position = position,
        ArrivedAt = at,
        CorrelationId = correlation,
        FieldId = from.Text(),
        ExceptionId = from.Required(),
        InForce = YesOrNo(ref from),
        Kind = from.Required(),
        Scope = from.Text(),
        ConditionKey = from.Text(),
        Subject = from.Text(),
        Group = from.Text(),
        Value = from.Text(),
        Until = from.Time(),
        By = from.Required(),
        Reason = from.Text(),
    };

    public static PriorEvent ReadPrior(long position, DateTimeOffset at, string correlation, ref BlockReader from) => new()
    {
        Position = position,
        ArrivedAt = at,
        CorrelationId = correlation,
        FieldId = from.Text(),
        Metric = from.Required(),
        Version = from.Integer(),
        Numbers = Numbers(ref from),
    };

    public static ScriptChangedEvent ReadScriptChange(long position, DateTimeOffset at, string correlation, ref BlockReader from) => new()
    {
        Position = position,
        ArrivedAt = at,
        CorrelationId = correlation,
        FieldId = from.Required(),
        ScriptId = from.Required(),
        Version = from.Integer(),
        InForce = YesOrNo(ref from),
        Effect = from.Required(),
        Source = from.Bytes(),
        By = from.Required(),
        Reason = from.Text(),
    };

    public static ScriptReportEvent ReadScriptReport(long position, DateTimeOffset at, string correlation, ref BlockReader from) => new()
    {
        Position = position,
        ArrivedAt = at,
        CorrelationId = correlation,
        FieldId = from.Required(),
        ScriptId = from.Required(),
        Version = from.Integer(),
        Result = from.Bytes(),
        Fault = from.Text(),
        Chance = YesOrNo(ref from),
    };

    public static CommandHeldEvent ReadCommandHeld(long position, DateTimeOffset at, string correlation, ref BlockReader from)
    {
        var held = new CommandHeldEvent
        {
            Position = position,
            ArrivedAt = at,
            CorrelationId = correlation,
            FieldId = from.Required(),
            DeviceId = from.Required(),
            CommandId = from.Required(),
            Name = from.Required(),
            Sender = from.Required(),
            Bound = from.Required(),
            Argument = from.Text(),
            Value = from.Required(),
            Allowed = from.Required(),
        };
        var there = from.Byte();
        if (there > 7)
        {
            throw new JournalFormatException("a held command has numbers that nobody knows");
        }

        return held with
        {
            Measured = (there & 1) != 0 ? from.Double() : null,
            Low = (there & 2) != 0 ? from.Double() : null,
            High = (there & 4) != 0 ? from.Double() : null,
        };
    }

    private static bool YesOrNo(ref BlockReader from) => from.Byte() switch
    {
        0 => false,
        1 => true,
        _ => throw new JournalFormatException("a yes or no is neither"),
    };

    private static double[] Numbers(ref BlockReader from)
    {
        var count = from.Number();
        if (count > BlockFormat.MostNumbers)
        {
            throw new JournalFormatException("a prior has too many numbers");
        }

        var numbers = new double[count];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = from.Double();
        }

        return numbers;
    }
}
