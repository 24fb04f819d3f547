namespace Sekisho.Devices.Binding;

/// <summary>A newer sender on the identity of a device, and what was decided about it.</summary>
internal sealed record PendingBinding(string BindingId, string DeviceId, string FieldId, string Source, DateTimeOffset OpenedAt)
{
    public DateTimeOffset? ConfirmedAt { get; init; }

    public DateTimeOffset? RefusedAt { get; init; }

    public DateTimeOffset? AcceptedAt { get; init; }

    /// <summary>How far it has come.</summary>
    public ConflictStage Stage =>
        AcceptedAt is not null ? ConflictStage.Accepted : RefusedAt is not null ? ConflictStage.Refused : ConfirmedAt is not null ? ConflictStage.Confirmed : ConflictStage.Provisional;

    /// <summary>True while nobody decided.</summary>
    public bool Open => Stage is ConflictStage.Provisional or ConflictStage.Confirmed;
}
