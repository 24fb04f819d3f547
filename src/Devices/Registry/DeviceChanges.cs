using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;

namespace Sekisho.Devices.Registry;

/// <summary>Changes and deletes devices. Any thread; takes the registry's turn, because parents and users span devices.</summary>
internal sealed class DeviceChanges(DeviceStore store, DeviceIndex index, DeviceCommits commits, TokenTable tokens, Turns turns, IHistory history, ChangeReports reports)
{
    /// <summary>Devices sit behind it or belong to it.</summary>
    public static readonly ProblemType HasDependents = new("device-has-dependents", StatusCodes.Status409Conflict);

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

    /// <summary>Deletes a device with its tokens; its unique ID may be registered again as a new device.</summary>
    /// <returns>Null when it is gone, else the problem.</returns>
    public async Task<ProblemType?> DeleteAsync(string fieldId, string deviceId, Caller caller, CancellationToken cancellation)
    {
        using var registry = await turns.RegistryAsync(cancellation);
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        if (index.Find(fieldId, deviceId) is not { } entry)
        {
            return CommonProblems.NotFound;
        }

        if (index.HasDependents(entry))
        {
            return HasDependents;
        }

        // Retired means kept for ever: deleting it would free its identity.
        if (entry.State == LifecycleStates.Retired)
        {
            return LifecycleRefused;
        }

        var predecessor = entry.Supersedes is { } id ? index.Find(id)! with { SupersededBy = null } : null;
        await store.Database.WriteAsync(
            async t =>
            {
                await DeviceStore.DeleteAsync(deviceId, t);
                if (predecessor is not null)
                {
                    await store.UpdateAsync(predecessor, t);
                }

                history.Append(caller.Record(HistoryKinds.DeviceState, "deleted", commits.Now, fieldId, deviceId, new { from = entry.State }), t);
            },
            cancellation);
        tokens.Revoke(entry.Holder);
        index.Remove(entry);
        if (predecessor is not null)
        {
            index.Put(predecessor);
        }

        await reports.ReportAsync(commits.Event(entry, "deleted", "deleted", caller));
        return null;
    }
}
