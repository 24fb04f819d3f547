using System.Security.Claims;
using Sekisho.Api.Access;
using Sekisho.Devices.Credentials;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Registry;

/// <summary>A device as the API shows it.</summary>
/// <param name="DeviceId">The device identifier.</param>
/// <param name="UniqueIdType">Type of its unique ID.</param>
/// <param name="UniqueId">In full for administrators, else the last four characters.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Kind">Kind of device.</param>
/// <param name="Cadence">How it sends.</param>
/// <param name="IntervalSeconds">Declared interval; null when it has none.</param>
/// <param name="State">Lifecycle state.</param>
/// <param name="StateReason">Why it is in that state.</param>
/// <param name="StateActor">Who moved it there.</param>
/// <param name="StateSince">Since when.</param>
/// <param name="Assurance">"device" or "product-line".</param>
/// <param name="CommonAuthId">Its common authentication ID; null for who does not administer.</param>
/// <param name="ProductLineId">The product line whose credential it shares.</param>
/// <param name="ParentId">The gateway unit it sits behind.</param>
/// <param name="UserId">The user it belongs to.</param>
/// <param name="Supersedes">The retired device whose identity it took over.</param>
/// <param name="SupersededBy">The device that took over its identity.</param>
/// <param name="TokenExpiresAt">When its newest token runs out; null when it has none.</param>
/// <param name="LastUsedAt">When a token of it was last used or issued; null when not since the start of the gateway.</param>
/// <param name="QuarantinedUntil">Until when its messages wait at the gateway; null when they go on to the field's cloud.</param>
/// <param name="QuarantinedMessages">How many wait so.</param>
/// <param name="RegisteredAt">When it was registered.</param>
internal sealed record DeviceView(
    string DeviceId,
    string UniqueIdType,
    string UniqueId,
    string Name,
    string Kind,
    string Cadence,
    double? IntervalSeconds,
    string State,
    string StateReason,
    string StateActor,
    DateTimeOffset StateSince,
    string Assurance,
    string? CommonAuthId,
    string? ProductLineId,
    string? ParentId,
    string? UserId,
    string? Supersedes,
    string? SupersededBy,
    DateTimeOffset? TokenExpiresAt,
    DateTimeOffset? LastUsedAt,
    DateTimeOffset? QuarantinedUntil,
    long QuarantinedMessages,
    DateTimeOffset RegisteredAt);

/// <summary>A device that was just registered or issued anew. The secret is shown here only.</summary>
/// <param name="Device">The device.</param>
/// <param name="CommonAuthId">Its common authentication ID.</param>
/// <param name="AuthSecret">Its secret; null when it shares that of its product line.</param>
internal sealed record IssuedDevice(DeviceView Device, string CommonAuthId, string? AuthSecret);

/// <summary>Shows devices. Any thread.</summary>
internal sealed class DeviceViews(PersonalData personal, ProductLines lines, ITrafficQuarantine quarantines)
{
    public DeviceView Of(DeviceEntry e, ClaimsPrincipal viewer)
    {
        var administers = viewer.Is(Roles.Administrator);
        var quarantine = quarantines.Of(e.Id);
        return new DeviceView(
            e.Id,
            e.Profile.UniqueIdType,
            UniqueId(e, administers),
            e.Profile.Name,
            e.Profile.Kind,
            e.Profile.Cadence,
            e.Profile.Interval?.TotalSeconds,
            e.State,
            personal.Read("reason", e.Id, e.StateReason),
            e.StateActor,
            e.StateAt,
            e.Profile.Assurance,
            administers ? e.CommonAuthId ?? lines.Find(e.LineId!)?.CommonAuthId : null,
            e.LineId,
            e.Profile.ParentId,
            e.Profile.UserId,
            e.Supersedes,
            e.SupersededBy,
            e.Holder.Tokens?.Present.ExpiresAt,
            e.Holder.LastUse == default ? null : e.Holder.LastUse,
            quarantine?.Until,
            quarantine?.Waiting ?? 0,
            e.CreatedAt);
    }

    /// <summary>The unique ID, in full or masked.</summary>
    public string UniqueId(DeviceEntry e, bool inFull)
    {
        var uniqueId = personal.Read("unique-id", e.Id, e.UniqueId);
        return inFull ? uniqueId : UniqueIds.Mask(uniqueId);
    }
}
