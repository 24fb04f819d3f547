using System.Buffers.Binary;
using System.Data.Common;
using System.Text;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Domain.Operations;
using Sekisho.Storage.Keys;

namespace Sekisho.History.Store;

/// <summary>
/// The table event_block: what detection was shown beside messages, in the order of the journal, one row per commit and field. Encrypted under
/// the position and the field. Writing: one thread at a time; opening: any thread.
/// </summary>
internal sealed class EventBlocks(MasterKey key, IFlowSwitches flows) : IDisposable
{
    /// <summary>Stands for the clock and what belongs to no field.</summary>
    public const string NoField = "";

    private readonly ColumnCipher _cipher = new(key, "event");
    private readonly SortedDictionary<string, List<GatewayEvent>> _byField = new(StringComparer.Ordinal);

    public void Dispose() => _cipher.Dispose();

    /// <summary>Writes what the batch holds beside messages; refusals and repeats only where the field logs them.</summary>
    public void Write(LaneBatch batch, DbTransaction transaction)
    {
        _byField.Clear();
        foreach (var fact in batch.Facts)
        {
            if (FieldOf(fact) is var field && (fact is not RefusalEvent || field.Length == 0 || flows.Of(field).Logging))
            {
                Add(field, fact);
            }
        }

        foreach (var repeat in batch.Duplicates)
        {
            if (flows.Of(repeat.FieldId).Logging)
            {
                Add(repeat.FieldId, repeat);
            }
        }

        foreach (var tick in batch.Ticks)
        {
            Add(NoField, tick);
        }

        foreach (var (field, events) in _byField)
        {
            events.Sort(static (a, b) => a.Position.CompareTo(b.Position));
            var id = events[0].Position;
            transaction.Connection!.Execute(
                "INSERT INTO event_block (field_id, id, first_at, last_at, events, data) VALUES (@field, @id, @first, @last, @count, @data)",
                new
                {
                    field,
                    id,
                    first = events.Min(e => e.ArrivedAt).ToUnixTimeMilliseconds(),
                    last = events.Max(e => e.ArrivedAt).ToUnixTimeMilliseconds(),
                    count = events.Count,
                    data = _cipher.Protect(EventFormat.Encode(events), Context(id, field)),
                },
                transaction);
        }

        _byField.Clear();
    }

    /// <summary>Decrypts and decodes a row.</summary>
    /// <exception cref="Storage.StorageException">Changed, moved, or written with another key.</exception>
    public IReadOnlyList<GatewayEvent> Open(string fieldId, long id, byte[] data) => EventFormat.Decode(_cipher.Unprotect(data, Context(id, fieldId)), fieldId);

    private static string FieldOf(GatewayEvent fact) => fact switch
    {
        AuthenticationEvent e => e.FieldId,
        RefusalEvent e => e.FieldId ?? NoField,
        DeviceChangedEvent e => e.FieldId,
        SimFactEvent e => e.FieldId,
        TrafficFactEvent e => e.FieldId,
        ExceptionChangedEvent e => e.FieldId ?? NoField,
        PriorEvent e => e.FieldId ?? NoField,
        ScriptChangedEvent e => e.FieldId,
        ScriptReportEvent e => e.FieldId,
        CommandHeldEvent e => e.FieldId,
        _ => NoField,
    };

    private static byte[] Context(long id, string fieldId)
    {
        var field = Encoding.UTF8.GetBytes(fieldId);
        var context = new byte[8 + field.Length];
        BinaryPrimitives.WriteInt64BigEndian(context, id);
        field.CopyTo(context, 8);
        return context;
    }

    private void Add(string field, GatewayEvent one)
    {
        if (!_byField.TryGetValue(field, out var events))
        {
            _byField.Add(field, events = []);
        }

        events.Add(one);
    }
}
