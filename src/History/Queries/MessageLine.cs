using Sekisho.History.Zones;

namespace Sekisho.History.Queries;

/// <summary>One kept message as the API shows it.</summary>
/// <param name="MessageId">Identity that travels to the customer cloud.</param>
/// <param name="DeviceId">The sender.</param>
/// <param name="ArrivalTime">When the gateway received it, in the field's zone.</param>
/// <param name="DeviceTime">The device's own clock, in the field's zone; null when absent.</param>
/// <param name="Sequence">Sequence given by the device; null when absent.</param>
/// <param name="Mode">Operating mode; null when absent.</param>
/// <param name="Backlog">True when it was recognised as a stored reading delivered late.</param>
/// <param name="Source">Address it came from.</param>
/// <param name="Size">Bytes as received.</param>
/// <param name="Epoch">Binding epoch.</param>
/// <param name="Position">Place in the journal.</param>
/// <param name="CorrelationId">Correlation id of the request.</param>
/// <param name="Payload">What was kept; sensitive properties are "***" unless the holder administers the field.</param>
internal sealed record MessageLine(
    string MessageId, string DeviceId, DateTimeOffset ArrivalTime, DateTimeOffset? DeviceTime, string? Sequence, string? Mode, bool Backlog, string Source,
    int Size, int Epoch, long Position, string CorrelationId, RawJson Payload)
{
    /// <summary>Shows a message.</summary>
    public static MessageLine Of(KeptMessage kept, FieldClock times, PayloadMask mask)
    {
        var message = kept.Message;
        return new MessageLine(
            message.MessageId, message.DeviceId, times.In(message.FieldId, message.ArrivedAt), message.DeviceTime is { } time ? times.In(message.FieldId, time) : null,
            message.Sequence, message.Mode, kept.Backlog, message.Source, message.Size, message.Epoch, message.Position, message.CorrelationId,
            new RawJson(mask.Apply(message.Payload)));
    }
}
