using System.Collections.Concurrent;
using System.Data.Common;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Distribution.Tests.Gateway;

/// <summary>Devices: a token "good-DEVICE" opens DEVICE; the field is what stands before the dot.</summary>
internal sealed class StandInDevices : ITokenCheck, IDeviceDirectory, IUniqueIdLookup
{
    public const string Cars = "cars";
    public const string Homes = "homes";

    public IReadOnlyCollection<FieldProfile> Fields { get; } = [Field(Cars)!, Field(Homes)!];

    public TokenVerdict Check(ReadOnlySpan<char> token, ReadOnlySpan<char> deviceId, string source)
    {
        var device = deviceId.ToString();
        return token.ToString() switch
        {
            "expired" => new TokenVerdict(RefusalReasons.ExpiredToken, device, FieldOf(device), 0),
            "suspended" => new TokenVerdict(RefusalReasons.Suspended, device, FieldOf(device), 0),
            "suspended-expired" => new TokenVerdict(RefusalReasons.Suspended, device, FieldOf(device), 0) { HasRunOut = true },
            var t when t == "good-" + device => new TokenVerdict(null, device, FieldOf(device), 1),
            _ => new TokenVerdict(RefusalReasons.BadToken, null, null, 0),
        };
    }

    /// <summary>States by device; active when nothing is said.</summary>
    public ConcurrentDictionary<string, string> States { get; } = new();

    public DeviceProfile? Device(string deviceId) => new()
    {
        DeviceId = deviceId,
        FieldId = FieldOf(deviceId),
        Name = "",
        Kind = "x",
        UniqueIdType = UniqueIdTypes.Serial,
        Cadence = Cadences.Irregular,
        State = States.GetValueOrDefault(deviceId, LifecycleStates.Active),
        Assurance = "device",
    };

    /// <summary>The unique ID of "c1" is "unique-c1".</summary>
    public string? Find(string fieldId, string uniqueId) => uniqueId.StartsWith("unique-", StringComparison.Ordinal) && FieldOf(uniqueId[7..]) == fieldId ? uniqueId[7..] : null;

    FieldProfile? IDeviceDirectory.Field(string fieldId) => Field(fieldId);

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [];

    private static FieldProfile? Field(string fieldId) => fieldId is Cars or Homes
        ? new FieldProfile { FieldId = fieldId, Name = fieldId, Kind = "x", TimeZone = "Asia/Tokyo", ContactPoint = "", Language = "ja" }
        : null;

    private static string FieldOf(string device) => device.StartsWith('h') ? Homes : Cars;
}

/// <summary>History: chunks and records in memory, the ledger as sums. What a rolled back transaction said is not taken back, so tests that count use none.</summary>
internal sealed class StandInHistory : IHistory, IMessageStore, ILedger
{
    public ConcurrentDictionary<long, IReadOnlyList<MessageEvent>> Chunks { get; } = new();

    public ConcurrentQueue<HistoryRecord> Records { get; } = new();

    public ConcurrentDictionary<(string Field, string State), long> Settled { get; } = new();

    public void Append(HistoryRecord record, DbTransaction transaction) => Records.Enqueue(record);

    public Task<IReadOnlyList<MessageEvent>?> ReadChunkAsync(long chunkId, CancellationToken cancellation) =>
        Task.FromResult(Chunks.GetValueOrDefault(chunkId));

    public void Settle(string fieldId, string state, int count, DbTransaction transaction) =>
        Settled.AddOrUpdate((fieldId, state), count, (_, n) => n + count);

    public long Count(string field, string state) => Settled.GetValueOrDefault((field, state));
}
