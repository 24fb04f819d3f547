using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;

namespace Sekisho.Devices.Registry;

/// <summary>Changes devices. Any thread; takes the registry's turn, because parents and users span devices.</summary>
internal sealed class DeviceChanges(DeviceIndex index, DeviceCommits commits, Turns turns, ChangeReports reports)
{
    /// <summary>The lifecycle does not allow it.</summary>
    public static readonly ProblemType LifecycleRefused = new("lifecycle-refused", StatusCodes.Status409Conflict);

    /// <summary>Replaces what administrators say of a device.</summary>
    /// <returns>The device, or the key of the broken rule, or neither when there is no such device.</returns>
    public async Task<(DeviceEntry? Entry, string? Broken)> ChangeAsync(string fieldId, string deviceId, DeviceTraits traits, Caller caller, CancellationToken cancellation)
    {
        using var registry = await turns.RegistryAsync(cancellation);
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        if (index.Find(fieldId, deviceId) is not { } before)
        {
            return (null, null);
        }

        var place = new Place(fieldId, before.Profile.UniqueIdType, before.State, traits.ParentId);
        if (Placement.Broken(deviceId, place, traits.UserId, id => index.Find(id) is { } e ? new Place(e.Profile.FieldId, e.Profile.UniqueIdType, e.State, e.Profile.ParentId) : null) is { } broken)
        {
            return (null, broken);
        }

        var profile = before.Profile with
        {
            Name = traits.Name,
            Kind = traits.Kind,
            Cadence = traits.Cadence,
            Interval = traits.Interval,
            ParentId = traits.ParentId,
            UserId = before.Profile.UniqueIdType == UniqueIdTypes.User ? deviceId : traits.UserId,
        };
        var after = before with { Profile = profile, SearchText = DeviceEntry.FoldedText(profile) };
        await commits.CommitAsync(after, caller.Record(HistoryKinds.DeviceState, "changed", commits.Now, fieldId, deviceId, new { profile.Kind, profile.Cadence, profile.ParentId, profile.UserId }), cancellation);
        await reports.ReportAsync(commits.Event(after, after.State, "changed", caller));
        return (after, null);
    }
}
