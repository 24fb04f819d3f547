using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Fields;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Devices.Registry;

/// <summary>A device that was registered; the secret is known here and nowhere after.</summary>
internal sealed record Registered(DeviceEntry Entry, string CommonAuthId, string? Secret);

/// <summary>Why a device was not registered.</summary>
/// <param name="Index">Which of those asked for.</param>
/// <param name="Key">Key of the broken rule.</param>
/// <param name="Property">The property concerned.</param>
/// <param name="Taken">Set when the identity is taken, or the field is gone: the problem to answer with.</param>
/// <param name="DeviceId">The device of this field that has the identity; null when it is none of this field.</param>
internal sealed record NotRegistered(int Index, string Key, string Property, ProblemType? Taken = null, string? DeviceId = null);

/// <summary>Registers devices: all that are asked for, or none. Any thread; takes the registry's turn.</summary>
internal sealed class Registrar(FieldStore fields, DeviceStore store, DeviceIndex index, ProductLines lines, CredentialHashes hashes, PersonalData personal, Turns turns, IHistory history, TimeProvider clock, ChangeReports reports)
{
    /// <summary>The unique ID belongs to a registered device of the field.</summary>
    public static readonly ProblemType IdentityRegistered = new("identity-registered", StatusCodes.Status409Conflict);

    /// <summary>The unique ID belongs to a retired device of the field, which another may only supersede by name.</summary>
    public static readonly ProblemType IdentityRetired = new("identity-retired", StatusCodes.Status409Conflict);

    /// <summary>The unique ID is known elsewhere on this gateway.</summary>
    public static readonly ProblemType IdentityElsewhere = new("identity-elsewhere", StatusCodes.Status409Conflict);

    /// <summary>Says what would keep devices from being registered now.</summary>
    public async Task<IReadOnlyList<NotRegistered>> JudgeAsync(string fieldId, IReadOnlyList<NewDevice> asked, CancellationToken cancellation)
    {
        using var turn = await turns.RegistryAsync(cancellation);
        return Judge(fieldId, asked);
    }

    /// <summary>Registers them.</summary>
    public async Task<(IReadOnlyList<Registered> Done, IReadOnlyList<NotRegistered> Refused)> RegisterAsync(
        string fieldId, IReadOnlyList<NewDevice> asked, Caller caller, CancellationToken cancellation)
    {
        using var turn = await turns.RegistryAsync(cancellation);
        if (fields.Find(fieldId) is null)
        {
            return ([], [new NotRegistered(0, "field-gone", "", CommonProblems.NotFound)]);
        }

        var refused = Judge(fieldId, asked);
        if (refused.Count > 0)
        {
            return ([], refused);
        }

        var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
        var done = asked.Select(d => Make(fieldId, d, caller, now)).ToList();
        var superseded = done.Where(d => d.Entry.Supersedes is not null).Select(d => index.Find(d.Entry.Supersedes!)! with { SupersededBy = d.Entry.Id }).ToList();
        await store.Database.WriteAsync(
            async t =>
            {
                foreach (var old in superseded)
                {
                    await store.UpdateAsync(old, t);
                }

                foreach (var (entry, _, _) in done)
                {
                    await store.InsertAsync(entry, t);
                }

                foreach (var (entry, _, _) in done)
                {
                    if (entry.Profile.ParentId is not null || entry.Profile.UserId is not null)
                    {
                        await store.UpdateAsync(entry, t);
                    }

                    history.Append(caller.Record(HistoryKinds.DeviceState, LifecycleStates.Registered, now, fieldId, entry.Id, new { entry.Profile.Kind, entry.Profile.Assurance, entry.Supersedes }), t);
                }
            },
            cancellation);
        superseded.ForEach(index.Put);
        done.ForEach(d => index.Put(d.Entry));
        await reports.ReportAsync([.. done.Select(d => (GatewayEvent)new DeviceChangedEvent
        {
            ArrivedAt = now,
            CorrelationId = caller.CorrelationId,
            FieldId = fieldId,
            DeviceId = d.Entry.Id,
            State = d.Entry.State,
            Reason = LifecycleStates.Registered,
        })]);
        return (done, []);
    }

    private List<NotRegistered> Judge(string fieldId, IReadOnlyList<NewDevice> asked)
    {
        var refused = new List<NotRegistered>();
        var together = asked.ToDictionary(d => d.DeviceId);
        var identities = new HashSet<HashKey>();
        Place? Find(string id) => together.TryGetValue(id, out var d)
            ? new Place(fieldId, d.UniqueIdType, LifecycleStates.Registered, d.Traits.ParentId)
            : index.Find(id) is { } e ? PlaceOf(e) : null;
        for (var i = 0; i < asked.Count; i++)
        {
            var device = asked[i];
            var hash = hashes.UniqueId(device.UniqueId);
            if (!identities.Add(hash))
            {
                refused.Add(new NotRegistered(i, "unique-id-twice", "uniqueId"));
            }

            if (Taken(fieldId, i, device, index.ByIdentity(hash)) is { } taken)
            {
                refused.Add(taken);
            }

            if (device.LineId is { } line && lines.Find(line)?.FieldId != fieldId)
            {
                refused.Add(new NotRegistered(i, "product-line", "productLineId"));
            }

            if (Placement.Broken(device.DeviceId, new Place(fieldId, device.UniqueIdType, LifecycleStates.Registered, device.Traits.ParentId), device.Traits.UserId, Find) is { } broken)
            {
                refused.Add(new NotRegistered(i, broken, broken == "user" ? "userId" : "parentId"));
            }
        }

        return refused;
    }

    // A retired identity is never adopted: only who names the retired device gets a new row, and the old one's history stays its own.
    private static NotRegistered? Taken(string fieldId, int i, NewDevice device, DeviceEntry? holder) => holder switch
    {
        null => device.Supersedes is null ? null : new NotRegistered(i, "supersedes", "supersedes"),
        _ when holder.Profile.FieldId != fieldId => new NotRegistered(i, IdentityElsewhere.Slug, "uniqueId", IdentityElsewhere),
        _ when holder.State != LifecycleStates.Retired => new NotRegistered(i, IdentityRegistered.Slug, "uniqueId", IdentityRegistered, holder.Id),
        _ when holder.Id == device.Supersedes => null,
        _ => new NotRegistered(i, IdentityRetired.Slug, "uniqueId", IdentityRetired, holder.Id),
    };

    private Registered Make(string fieldId, NewDevice device, Caller caller, DateTimeOffset now)
    {
        var line = device.LineId is null ? null : lines.Find(device.LineId)!;
        var secret = line is null ? NewCredential.Secret() : null;
        var profile = new DeviceProfile
        {
            DeviceId = device.DeviceId,
            FieldId = fieldId,
            Name = device.Traits.Name,
            Kind = device.Traits.Kind,
            UniqueIdType = device.UniqueIdType,
            Cadence = device.Traits.Cadence,
            Interval = device.Traits.Interval,
            State = LifecycleStates.Registered,
            Assurance = line is null ? Assurances.Device : Assurances.ProductLine,
            ParentId = device.Traits.ParentId,
            UserId = device.UniqueIdType == UniqueIdTypes.User ? device.DeviceId : device.Traits.UserId,
        };
        var entry = new DeviceEntry
        {
            Profile = profile,
            UniqueId = personal.Protect("unique-id", device.DeviceId, device.UniqueId),
            UniqueIdHash = hashes.UniqueId(device.UniqueId),
            CommonAuthId = line is null ? NewCredential.Id('c') : null,
            SecretHash = secret is null ? null : hashes.Secret(secret),
            LineId = line?.LineId,
            Epoch = 0,
            Bound = false,
            StateReason = personal.Protect("reason", device.DeviceId, LifecycleStates.Registered),
            StateActor = caller.Actor,
            StateAt = now,
            Supersedes = device.Supersedes,
            SupersededBy = null,
            CreatedAt = now,
            SearchText = DeviceEntry.FoldedText(profile),
            Holder = new TokenHolder(device.DeviceId, fieldId),
        };
        return new Registered(entry, entry.CommonAuthId ?? line!.CommonAuthId, secret);
    }

    private static Place PlaceOf(DeviceEntry e) => new(e.Profile.FieldId, e.Profile.UniqueIdType, e.State, e.Profile.ParentId);
}
