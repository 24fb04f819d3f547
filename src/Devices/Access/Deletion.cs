using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;
using Sekisho.Devices.Binding;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Devices.Access;

/// <summary>Deletes devices. Any thread; takes the registry's turn, because parents, users and predecessors span devices.</summary>
internal sealed class Deletion(DeviceStore store, DeviceIndex index, DeviceCommits commits, TokenTable tokens, PendingBindings pending, Turns turns, IHistory history, ChangeReports reports)
{
    /// <summary>Devices sit behind it or belong to it.</summary>
    public static readonly ProblemType HasDependents = new("device-has-dependents", StatusCodes.Status409Conflict);

    /// <summary>Deletes a device with its tokens and its conflict; its unique ID may be registered again as a new device.</summary>
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
            return DeviceChanges.LifecycleRefused;
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
        pending.Remove(deviceId);
        index.Remove(entry);
        if (predecessor is not null)
        {
            index.Put(predecessor);
        }

        await reports.ReportAsync(commits.Event(entry, DeviceChangedEvent.Deleted, "deleted", caller));
        return null;
    }
}
