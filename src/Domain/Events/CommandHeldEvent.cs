namespace Sekisho.Domain.Events;

/// <summary>A command to a device that was held because of its field's list of commands. No content of it but a number that is out of its bounds.</summary>
public sealed record CommandHeldEvent : GatewayEvent
{
    /// <summary>Field of the device.</summary>
    public required string FieldId { get; init; }

    /// <summary>The device that it was for.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The command.</summary>
    public required string CommandId { get; init; }

    /// <summary>What the device was to do.</summary>
    public required string Name { get; init; }

    /// <summary>Who sent it: "key:NAME" or "account:NAME".</summary>
    public required string Sender { get; init; }

    /// <summary>One of <see cref="Devices.CommandBounds"/>.</summary>
    public required string Bound { get; init; }

    /// <summary>JSON pointer of the argument that is at fault; null for other bounds.</summary>
    public string? Argument { get; init; }

    /// <summary>What it was, for people: a number, a time, or what kind of value; no text of the command's content. At most 80 characters.</summary>
    public required string Value { get; init; }

    /// <summary>What is allowed, for people; at most 200 characters.</summary>
    public required string Allowed { get; init; }

    /// <summary>The number that is out of bounds; null where it is none.</summary>
    public double? Measured { get; init; }

    /// <summary>Smallest number allowed; null for none.</summary>
    public double? Low { get; init; }

    /// <summary>Largest number allowed; null for none.</summary>
    public double? High { get; init; }
}
