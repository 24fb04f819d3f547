using Sekisho.Domain.Devices;

namespace Sekisho.History.Zones;

/// <summary>Shows times in the zone of a field, always with the offset. Any thread.</summary>
internal sealed class FieldClock(IDeviceDirectory directory)
{
    /// <summary>The time in the field's zone; in UTC for the gateway (null) or when the zone is not known here.</summary>
    public DateTimeOffset In(string? fieldId, DateTimeOffset time) =>
        fieldId is not null && directory.Field(fieldId) is { } field && TimeZoneInfo.TryFindSystemTimeZoneById(field.TimeZone, out var zone)
            ? TimeZoneInfo.ConvertTime(time, zone)
            : time.ToUniversalTime();
}
