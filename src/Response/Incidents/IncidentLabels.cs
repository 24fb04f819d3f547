using System.Data.Common;
using Sekisho.Domain.Detection;

namespace Sekisho.Response.Incidents;

/// <summary>What people say of findings in the list of findings is said of their incidents too, in the same transaction. Any thread.</summary>
internal sealed class IncidentLabels(IncidentStore store, IncidentSettings settings) : IFindingLabelPart
{
    public void Labelled(FindingLabel label, DbTransaction transaction)
    {
        foreach (var incident in IncidentLinks.SetLabels(label.FindingIds, label.Label, transaction))
        {
            store.Change(incident, i => IncidentMachine.Labelled(i, AllClosedAs(incident, transaction), label, settings), transaction);
        }
    }

    // The gravest of what its findings are, once none of them is left open.
    private static string? AllClosedAs(string incident, DbTransaction transaction)
    {
        var labels = IncidentLinks.Labels(incident, transaction);
        return labels.Count > 0 && labels.All(Closings.All.Contains) ? ((string[])[Closings.Incident, Closings.Change, Closings.FalseAlarm]).First(labels.Contains) : null;
    }
}
