using System.Security.Cryptography;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;

namespace Sekisho.Behaviour.Sensors;

/// <summary>What people do to sensors: register, give a code, rename, revoke, delete. Any thread.</summary>
internal sealed class SensorDesk(SensorStore store, SensorBook book, Sealed secrets, IDeviceDirectory directory, IHistory history, SensorSettings settings, TimeProvider clock) : IDisposable
{
    private const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

    // 32 letters and digits that are told apart when read aloud: 24 of them are 120 bits.
    private const string CodeAlphabet = "23456789abcdefghijkmnpqrstuvwxyz";
    private const int CodeLength = 24;
    private const int GroupLength = 6;

    private readonly SemaphoreSlim _registering = new(1, 1); // guards how many a field has

    /// <summary>A code without what people put between its letters.</summary>
    public static string Plain(string code) => code.Replace("-", "", StringComparison.Ordinal).Trim().ToLowerInvariant();

    /// <summary>Registers a sensor; null when the field has as many as it may have.</summary>
    public async Task<(SensorEntry Entry, string Code)?> RegisterAsync(string fieldId, string name, string actor, string correlationId, CancellationToken cancellation)
    {
        await _registering.WaitAsync(cancellation);
        try
        {
            if (book.Of(fieldId).Count >= settings.MostPerField || directory.Field(fieldId) is null)
            {
                return null;
            }

            var (code, hash) = NewCode();
            var now = clock.GetUtcNow();
            var entry = new SensorEntry(new Sensor
            {
                Id = "s" + RandomNumberGenerator.GetString(Alphabet, 15),
                FieldId = fieldId,
                Name = name,
                State = SensorStates.Waiting,
                CreatedBy = actor,
                CreatedAt = now,
                CodeHash = hash,
                CodeExpiresAt = now + settings.CodeLife,
            });
            await SaveAsync(entry, entry.Sensor, "sensor-registered", actor, correlationId, cancellation);
            book.Put(entry);
            return (entry, code);
        }
        finally
        {
            _registering.Release();
        }
    }

    /// <summary>Makes a new code, for a sensor that has lost its key or was shut out; null when it is gone. Its present certificate works until the code is used.</summary>
    public async Task<string?> RenewCodeAsync(SensorEntry entry, string actor, string correlationId, CancellationToken cancellation)
    {
        var (code, hash) = NewCode();
        var done = await ChangeAsync(entry, s => s with { CodeHash = hash, CodeExpiresAt = clock.GetUtcNow() + settings.CodeLife }, "sensor-code-made", actor, correlationId, cancellation);
        return done ? code : null;
    }

    public Task<bool> RenameAsync(SensorEntry entry, string name, string actor, string correlationId, CancellationToken cancellation) =>
        ChangeAsync(entry, s => s with { Name = name }, "sensor-renamed", actor, correlationId, cancellation);

    /// <summary>Shuts a sensor out: neither its certificate nor a code that is under way is good any more.</summary>
    public Task<bool> RevokeAsync(SensorEntry entry, string actor, string correlationId, CancellationToken cancellation) =>
        ChangeAsync(entry, s => s with { State = SensorStates.Revoked, CodeHash = null, CodeExpiresAt = null }, "sensor-revoked", actor, correlationId, cancellation);

    /// <summary>Deletes a sensor with everything it saw; false when it is gone already.</summary>
    public async Task<bool> DeleteAsync(SensorEntry entry, string actor, string correlationId, CancellationToken cancellation)
    {
        await entry.Turn.WaitAsync(cancellation);
        try
        {
            if (entry.Gone)
            {
                return false;
            }

            await store.WriteAsync(
                async t =>
                {
                    await SensorStore.DeleteAsync(entry.Sensor.Id, t);
                    history.Append(Record(entry.Sensor, "sensor-deleted", actor, correlationId), t);
                },
                cancellation);
            entry.Gone = true;
            book.Remove(entry);
            return true;
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    public void Dispose() => _registering.Dispose();

    private async Task<bool> ChangeAsync(SensorEntry entry, Func<Sensor, Sensor> change, string what, string actor, string correlationId, CancellationToken cancellation)
    {
        await entry.Turn.WaitAsync(cancellation);
        try
        {
            if (entry.Gone)
            {
                return false;
            }

            var changed = change(entry.Sensor);
            await SaveAsync(entry, changed, what, actor, correlationId, cancellation);
            return true;
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    private async Task SaveAsync(SensorEntry entry, Sensor sensor, string what, string actor, string correlationId, CancellationToken cancellation)
    {
        await store.WriteAsync(
            async t =>
            {
                await store.PutAsync(sensor, t);
                history.Append(Record(sensor, what, actor, correlationId), t);
            },
            cancellation);
        entry.Sensor = sensor;
    }

    private HistoryRecord Record(Sensor sensor, string what, string actor, string correlationId) => new()
    {
        At = clock.GetUtcNow(),
        Kind = HistoryKinds.Operator,
        What = what,
        FieldId = sensor.FieldId,
        Actor = actor,
        CorrelationId = correlationId,
        Subject = sensor.Id,
    };

    private (string Shown, byte[] Hash) NewCode()
    {
        var code = RandomNumberGenerator.GetString(CodeAlphabet, CodeLength);
        return (string.Join('-', code.Chunk(GroupLength).Select(g => new string(g))), secrets.Code(code));
    }
}
