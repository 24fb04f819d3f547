using Sekisho.Distribution.Fields;
using Sekisho.Storage;

namespace Sekisho.Distribution.Limits;

/// <summary>Rates per device of each field; those of the settings where a field sets none. Any thread.</summary>
internal sealed class FieldLimits(Databases databases, LimitSettings settings, TimeProvider clock)
    : FieldDocuments<DeviceLimits, DeviceLimits>(databases, "field_limits", clock)
{
    private readonly DeviceLimits _default = new(settings.DeviceMessagesPerSecond, settings.DeviceBurst, settings.DeviceBacklogPerSecond, settings.DeviceBacklogBurst);

    public DeviceLimits Of(string fieldId) => Model(fieldId) ?? _default;

    protected override DeviceLimits Build(DeviceLimits document) => document;
}
