namespace Sekisho.Response.Leases;

/// <summary>One action on one target that came into force, or is about to.</summary>
internal sealed record Disturbance
{
    public string Action { get; init; } = "";

    public string? DeviceId { get; init; }

    public string Target { get; init; } = "";
}
