using Sekisho.Detection.Conditions;
using Sekisho.Detection.Templates;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>A threshold that a device's condition has made for itself.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Band">The limits and what they rest on.</param>
internal sealed record DeviceThreshold(PlannedCondition Condition, LearntBand Band);

/// <summary>What was learnt, to be shown and to be taught. Between two steps only.</summary>
internal sealed partial class LaneRunner
{
    /// <summary>The learnt thresholds that hold for a device now; empty when it was never heard.</summary>
    public IReadOnlyList<DeviceThreshold> ThresholdsOf(string deviceId)
    {
        if (subjects.FindDevice(deviceId) is not { } device)
        {
            return [];
        }

        var tick = new Signal { Kind = SignalKind.Tick, At = _clock.SeenAt, EventAt = _clock.SeenAt, Position = 0, Downtime = _clock.Downtime };
        var signal = _signals.Tick(device, tick, _books);
        var result = new List<DeviceThreshold>();
        foreach (var condition in device.Plan.Conditions)
        {
            if (condition.Judged.Condition.Learnt(Judged.OwnOf(device.StateOf(condition)), signal) is { } band)
            {
                result.Add(new DeviceThreshold(condition, band));
            }
        }

        return result;
    }

    /// <summary>What the devices of each field have to teach newcomers of their kind, and of any kind, as far as it is not known yet.</summary>
    /// <param name="version">Of the priors; higher than those before.</param>
    public IReadOnlyList<PriorEvent> Teach(int version)
    {
        var states = new Dictionary<PriorKey, (ICondition Condition, List<ReadOnlyMemory<long>> States)>();
        foreach (var device in subjects.All.Where(s => s.Id.Scope == Scopes.Device && s.FieldId is not null))
        {
            foreach (var condition in device.Plan.Conditions)
            {
                if (condition.Judged.Condition.PriorName is not { } name)
                {
                    continue;
                }

                var state = device.Cells.AsMemory(condition.Offset + Judged.Own, condition.Judged.Condition.Cells);
                Add(new PriorKey(device.FieldId, name, null), condition, state);
                if (device.Profile?.Kind is { Length: > 0 } kind)
                {
                    Add(new PriorKey(device.FieldId, name, kind), condition, state);
                }
            }
        }

        var result = new List<PriorEvent>();
        foreach (var (key, (condition, peers)) in states.OrderBy(s => s.Key.FieldId, StringComparer.Ordinal).ThenBy(s => s.Key.ToString(), StringComparer.Ordinal))
        {
            var prior = condition.PriorOf(version, peers);
            if (prior.Version != 0 && !(_books.Priors.All.TryGetValue(key, out var known) && known.Numbers.Span.SequenceEqual(prior.Numbers.Span)))
            {
                result.Add(new PriorEvent { CorrelationId = "", ArrivedAt = default, FieldId = key.FieldId, Metric = key.ToString(), Version = version, Numbers = [.. prior.Numbers.Span] });
            }
        }

        return result;

        // Two conditions may go by one name: what they learn is of one kind, and the first of them teaches.
        void Add(PriorKey key, PlannedCondition condition, ReadOnlyMemory<long> state)
        {
            if (!states.TryGetValue(key, out var known))
            {
                states.Add(key, known = (condition.Judged.Condition, []));
            }

            if (ReferenceEquals(known.Condition, condition.Judged.Condition))
            {
                known.States.Add(state);
            }
        }
    }
}
