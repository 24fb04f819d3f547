using Sekisho.Distribution.Fields;
using Sekisho.Distribution.Flow;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Distribution.Mapping;

/// <summary>The mapping of each field; the default where a field sets none. Any thread.</summary>
internal sealed class MappingCatalog(Databases databases, FlowCatalog flows, TimeProvider clock)
    : FieldDocuments<FieldMapping, MappingNode>(databases, "field_mapping", clock), IPayloadMarks
{
    private static readonly MappingNode Default = MappingNode.Build(FieldMapping.Default);

    public MappingNode Of(string fieldId) => (Model(fieldId) ?? Default) is var mapping && flows.Of(fieldId).Validation ? mapping : mapping.Lenient;

    public IReadOnlyList<string> Sensitive(string fieldId) => Written(fieldId)?.Document.Sensitive ?? [];

    public IReadOnlyList<string> Transient(string fieldId) => Written(fieldId)?.Document.Transient ?? [];

    protected override MappingNode Build(FieldMapping document) => MappingNode.Build(document);
}
