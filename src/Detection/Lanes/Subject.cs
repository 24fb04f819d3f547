using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Devices;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Devices;

namespace Sekisho.Detection.Lanes;

/// <summary>The state of all conditions over one subject, and what all of them share. One lane at a time.</summary>
internal sealed class Subject(SubjectId id, string? fieldId)
{
    public Timeline Timeline;

    public DuplicateWindow Duplicates;

    /// <summary>Belongs to <see cref="ChangedSubjects"/>.</summary>
    public ChangeMarks Marks;

    public SubjectId Id { get; } = id;

    public int Lane { get; } = Lanes.Lane.Of(id.Scope, id.Key);

    /// <summary>Field concerned; null for the gateway.</summary>
    public string? FieldId { get; set; } = fieldId;

    public ScopePlan Plan { get; private set; } = ScopePlan.Empty;

    public long[] Cells { get; private set; } = [];

    /// <summary>Correlation id of the last event that was not a tick.</summary>
    public string CorrelationId { get; set; } = "";

    /// <summary>What the directory says of a device; read when the state is loaded and when the device changes.</summary>
    public DeviceProfile? Profile { get; set; }

    /// <summary>Position of the last chunk that took one of its messages.</summary>
    public long LastChunk { get; set; }

    /// <summary>Arrival time under which it waits for a tick; <see cref="long.MaxValue"/> when it does not.</summary>
    public long Queued { get; set; } = long.MaxValue;

    /// <summary>True when what is stored has other conditions, or nothing is stored: the next change is written whole.</summary>
    public bool Whole { get; set; } = true;

    public bool Removed { get; set; }

    /// <summary>What the lanes know of a device; empty for wider scopes.</summary>
    public DeviceFacts Facts => Plan.FactsOffset < 0 ? default : new DeviceFacts(Cells, Plan.FactsOffset);

    /// <summary>Who was heard at a place; empty for other scopes.</summary>
    public Neighbours Neighbours => Plan.NeighboursOffset < 0 ? default : new Neighbours(Cells, Plan.NeighboursOffset);

    /// <summary>True while a condition is raised.</summary>
    public bool IsRaised
    {
        get
        {
            foreach (var condition in Plan.Conditions)
            {
                if (Judged.IsRaised(StateOf(condition)))
                {
                    return true;
                }
            }

            return false;
        }
    }

    public Span<long> StateOf(PlannedCondition condition) => Cells.AsSpan(condition.Offset, condition.Judged.Cells);

    /// <summary>Takes over another plan. States of conditions of the same key, kind and length stay; the identities of raised ones that are gone are added to <paramref name="gone"/>.</summary>
    public void Adopt(ScopePlan plan, List<ulong> gone)
    {
        if (ReferenceEquals(plan, Plan))
        {
            return;
        }

        var cells = plan.Cells == 0 ? [] : new long[plan.Cells];
        foreach (var old in Plan.Conditions)
        {
            var state = StateOf(old);
            var heir = Array.Find(plan.Conditions, c => c.Identity == old.Identity && c.Judged.Cells == old.Judged.Cells);
            if (heir is not null)
            {
                state.CopyTo(cells.AsSpan(heir.Offset));
            }
            else if (Judged.IsRaised(state))
            {
                gone.Add(old.Identity);
            }
        }

        (Plan, Cells, Whole) = (plan, cells, true);
    }

    /// <summary>Earliest arrival time at which a tick matters; <see cref="long.MaxValue"/> for never.</summary>
    public long Due(long at, long downtime)
    {
        var due = long.MaxValue;
        foreach (var condition in Plan.Conditions)
        {
            due = Math.Min(due, condition.Judged.Due(StateOf(condition), at, downtime));
        }

        return due;
    }
}
