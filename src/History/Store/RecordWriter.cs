using System.Data.Common;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage.Keys;

namespace Sekisho.History.Store;

/// <summary>Adds records to the history. Details are encrypted and bound to the rest of the record. Any thread.</summary>
internal sealed class RecordWriter(DetailsCipher cipher) : IHistory
{
    /// <inheritdoc/>
    public void Append(HistoryRecord record, DbTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(transaction);
        var at = record.At.ToUnixTimeMilliseconds();
        transaction.Connection!.Execute(
            """
            INSERT INTO history_record (at, kind, what, field_id, device_id, actor, correlation_id, subject, details)
            VALUES (@at, @Kind, @What, @FieldId, @DeviceId, @Actor, @CorrelationId, @Subject, @details)
            """,
            new
            {
                at,
                record.Kind,
                record.What,
                record.FieldId,
                record.DeviceId,
                record.Actor,
                record.CorrelationId,
                record.Subject,
                details = record.Details is null ? null : cipher.Protect(record.Details, at, record.Kind, record.What, record.FieldId, record.DeviceId, record.CorrelationId),
            },
            transaction);
    }
}

/// <summary>Encryption of records' details. The context is the record's time, kind, what, field, device and correlation id. Any thread.</summary>
internal sealed class DetailsCipher(MasterKey key) : IDisposable
{
    private readonly ColumnCipher _cipher = new(key, "history");

    /// <summary>Encrypts.</summary>
    public byte[] Protect(string details, long at, string kind, string what, string? fieldId, string? deviceId, string correlationId) =>
        _cipher.Protect(details, Context(at, kind, what, fieldId, deviceId, correlationId));

    /// <summary>Decrypts.</summary>
    /// <exception cref="Storage.StorageException">Changed, moved, or written with another key.</exception>
    public string Open(byte[] details, long at, string kind, string what, string? fieldId, string? deviceId, string correlationId) =>
        _cipher.UnprotectText(details, Context(at, kind, what, fieldId, deviceId, correlationId));

    /// <inheritdoc/>
    public void Dispose() => _cipher.Dispose();

    private static string Context(long at, string kind, string what, string? fieldId, string? deviceId, string correlationId) =>
        FormattableString.Invariant($"{at}\n{kind}\n{what}\n{fieldId}\n{deviceId}\n{correlationId}");
}
