using Sekisho.Devices.Registry;
using Sekisho.Domain.Events;

namespace Sekisho.Devices.Binding;

/// <summary>One attempt to authenticate.</summary>
/// <param name="Elements">The three elements.</param>
/// <param name="ShownToken">A token that came along; null when none did.</param>
/// <param name="Source">Address of the sender.</param>
/// <param name="Client">User-Agent, cut to 128 characters; null when absent.</param>
/// <param name="Bytes">Size of the request's body.</param>
/// <param name="CorrelationId">Correlation id of the request.</param>
internal sealed record Attempt(ThreeElements Elements, string? ShownToken, string Source, string? Client, long Bytes, string CorrelationId)
{
    public AuthenticationEvent Event(DeviceEntry device, string outcome, DateTimeOffset now) => new()
    {
        ArrivedAt = now,
        CorrelationId = CorrelationId,
        FieldId = device.Profile.FieldId,
        DeviceId = device.Id,
        Outcome = outcome,
        Source = Source,
        Client = Client,
        UserId = device.Profile.UserId,
    };

    public Refusal Refusal(string reason, DeviceEntry? device) => new(reason, Source, device?.Id, device?.Profile.FieldId, Bytes, CorrelationId);

    /// <summary>Says nothing of secrets.</summary>
    public override string ToString() => $"Attempt from {Source}";
}
