using Sekisho.Api.Problems;
using Sekisho.Devices.Binding;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;

namespace Sekisho.Devices.Access;

/// <summary>
/// Gives a device a new secret of its own. The old secret, all tokens and a waiting binding end in the same transaction. Any thread; takes the device's turn.
/// </summary>
internal sealed class Reissue(DeviceIndex index, DeviceCommits commits, CredentialHashes hashes, TokenTable tokens, PendingBindings pending, Turns turns, ChangeReports reports)
{
    /// <returns>The device with its secret, or the problem.</returns>
    public async Task<(Registered? Issued, ProblemType? Problem)> ReissueAsync(string fieldId, string deviceId, Caller caller, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        if (index.Find(fieldId, deviceId) is not { } device)
        {
            return (null, CommonProblems.NotFound);
        }

        if (device.State == LifecycleStates.Retired)
        {
            return (null, DeviceChanges.LifecycleRefused);
        }

        const string Reason = "secret reissued";
        var secret = NewCredential.Secret();
        var moves = device.State == LifecycleStates.Pending;
        var after = (moves ? commits.Moved(device, LifecycleStates.Active, Reason, caller) : device) with
        {
            CommonAuthId = device.CommonAuthId ?? NewCredential.Id('c'),
            SecretHash = hashes.Secret(secret),
            NewSecretHash = null,
            RenewBefore = null,
            LineId = null,
            Epoch = device.Epoch + 1,
        };
        after = after with { Profile = after.Profile with { Assurance = Assurances.Device } };
        List<HistoryRecord> records = [caller.Record(HistoryKinds.Operator, "secret-reissued", commits.Now, fieldId, deviceId)];
        if (moves)
        {
            records.Add(commits.Transition(device, after, Reason, caller));
        }

        await commits.CommitAsync(
            after,
            records,
            async t =>
            {
                await TokenStore.DeleteAllAsync(deviceId, t);
                await PendingBindings.DeleteAsync(deviceId, t);
                await SecretOrders.FollowedAsync(deviceId, commits.Now, t);
            },
            cancellation);
        tokens.Revoke(device.Holder);
        pending.Remove(deviceId);
        device.Holder.Watch(null);
        if (moves)
        {
            await reports.ReportAsync(commits.Event(after, after.State, Reason, caller));
        }

        if (device.RenewBefore is not null)
        {
            await reports.ReportAsync(commits.Event(after, after.State, Domain.Events.DeviceChangedEvent.SecretRenewed, caller));
        }

        return (new Registered(after, after.CommonAuthId!, secret), null);
    }
}
