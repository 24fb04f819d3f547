using System.Data.Common;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Incidents;

/// <summary>
/// The incidents' part in the commit of the lanes: each finding joins the open incident of its device or cause, or opens one, in the same transaction. A storm costs a
/// line in a table for each finding and one change of each incident. One thread at a time.
/// </summary>
internal sealed class IncidentIntake(IncidentStore store, IncidentKeys keys, IncidentSignal signal, IncidentSettings settings, TimeProvider clock) : ILaneCommitPart
{
    public void Write(LaneBatch batch, DbTransaction transaction)
    {
        var findings = batch.Findings.Where(f => f.Effect == Effects.Act).ToList();
        if (findings.Count > 0)
        {
            var known = IncidentLinks.Known([.. findings.Select(f => f.Id)], transaction);
            Join([.. findings.Where(f => !known.Contains(f.Id)).DistinctBy(f => f.Id)], transaction);
        }

        foreach (var retraction in batch.Retractions)
        {
            TakeBack(retraction, transaction);
        }

        Move([.. batch.Facts.OfType<DeviceChangedEvent>()], transaction);
    }

    public void Committed(LaneBatch batch)
    {
        // A device that came back may be the last one that a recovery waits for.
        if (batch.Facts.Any(f => f is DeviceChangedEvent))
        {
            signal.Wake();
        }
    }

    private void Join(List<Finding> findings, DbTransaction transaction)
    {
        if (findings.Count == 0)
        {
            return;
        }

        var keysOf = findings.ConvertAll(keys.Of);
        var held = IncidentLinks.Held([.. keysOf.SelectMany(k => k).Select(k => k.Value).Distinct()], transaction);
        var incidents = store.Load([.. held.Values.Select(h => h.IncidentId).Distinct()], transaction).ToDictionary(i => i.Id, i => (Incident: i, IsNew: false), StringComparer.Ordinal);
        var joined = new Dictionary<string, List<Finding>>(StringComparer.Ordinal);
        var changed = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < findings.Count; i++)
        {
            var finding = findings[i];
            var at = finding.RaisedAt.ToUnixTimeMilliseconds();
            bool Counts(IncidentKey key) => held.TryGetValue(key.Value, out var holder) && incidents.TryGetValue(holder.IncidentId, out var of)
                && (!key.IsBrief || Math.Abs(at - holder.LastAt) <= settings.CauseWithin.TotalMilliseconds)
                && (of.Incident.ClosedAt is not { } closed || joined.ContainsKey(holder.IncidentId) || finding.RaisedAt - closed <= settings.ReopenWithin);

            var own = keysOf[i].Where(Counts).Select(k => held[k.Value].IncidentId).FirstOrDefault();
            if (own is null)
            {
                var opened = IncidentMachine.Open(finding, settings);
                own = opened.Id;
                incidents[own] = (opened, true);
            }

            foreach (var key in keysOf[i])
            {
                if (!Counts(key) || (key.IsBrief && held[key.Value].IncidentId == own))
                {
                    held[key.Value] = new KeyHolder(own, at);
                    changed.Add(key.Value);
                }
            }

            if (!joined.TryGetValue(own, out var list))
            {
                joined.Add(own, list = []);
            }

            list.Add(finding);
        }

        foreach (var (id, list) in joined)
        {
            if (incidents[id].IsNew)
            {
                store.Insert(IncidentMachine.Grow(incidents[id].Incident, list, settings), transaction);
            }
            else
            {
                store.Change(id, incident => IncidentMachine.Grow(incident, list, settings), transaction);
            }
        }

        IncidentLinks.Link(joined.SelectMany(j => j.Value.Select(f => (j.Key, f))), transaction);
        IncidentLinks.Hold(changed.Select(k => (k, held[k])), transaction);
    }

    private void TakeBack(Retraction retraction, DbTransaction transaction)
    {
        foreach (var group in IncidentLinks.Retract(retraction.FindingIds, transaction).GroupBy(f => f.IncidentId, f => (f.ConditionKey, f.Level), StringComparer.Ordinal))
        {
            var taken = group.ToList();
            var isHeld = IncidentLeases.IsHeld(group.Key, transaction);
            store.Change(group.Key, incident => IncidentMachine.TakeBack(incident, taken, retraction.Reason, clock.GetUtcNow(), isHeld, settings), transaction);
        }
    }

    private void Move(List<DeviceChangedEvent> changes, DbTransaction transaction)
    {
        if (changes.Count == 0)
        {
            return;
        }

        var held = IncidentLinks.Held([.. changes.Select(c => keys.Device(c.FieldId, c.DeviceId).Value).Distinct()], transaction);
        foreach (var change in held.Count == 0 ? [] : changes)
        {
            if (held.TryGetValue(keys.Device(change.FieldId, change.DeviceId).Value, out var holder))
            {
                store.Change(holder.IncidentId, i => IncidentMachine.DeviceMoved(i, change.DeviceId, change.State, change.ArrivedAt, change.CorrelationId, settings), transaction);
            }
        }
    }
}

/// <summary>Tells the incidents' worker that there may be work; of its own, so that it does not wake with every response.</summary>
internal sealed class IncidentSignal
{
    private readonly QueueSignal _signal = new();

    public Task Next => _signal.Next;

    public void Wake() => _signal.Wake();
}
