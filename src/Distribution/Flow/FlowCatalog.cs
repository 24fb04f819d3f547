using Sekisho.Distribution.Fields;
using Sekisho.Domain.Operations;
using Sekisho.Storage;

namespace Sekisho.Distribution.Flow;

/// <summary>The switches of each field; all on where a field sets none. Any thread.</summary>
internal sealed class FlowCatalog(Databases databases, TimeProvider clock) : FieldDocuments<FlowSwitches, FlowSwitches>(databases, "field_flow", clock), IFlowSwitches
{
    public FlowSwitches Of(string fieldId) => Model(fieldId) ?? FlowSwitches.Default;

    protected override FlowSwitches Build(FlowSwitches document) => document;
}
