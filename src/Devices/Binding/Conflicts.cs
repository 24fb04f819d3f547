using Sekisho.Devices.Registry;
using Sekisho.Devices.Tokens;

namespace Sekisho.Devices.Binding;

/// <summary>Looks at a device and a sender as <see cref="ConflictRule"/> wants them. Call it in the device's turn.</summary>
internal sealed class Conflicts(TokenTable tokens, PendingBindings pending, BindingSettings settings, TimeProvider clock)
{
    private const int Intervals = 3;

    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());

    public Situation Look(DeviceEntry device, Attempt attempt)
    {
        var now = clock.GetUtcNow();
        var holder = device.Holder;
        var window = Window(device);
        var binding = pending.Of(device.Id);

        // What was accepted and not fetched in time is no longer kept for anybody.
        var stage = binding is null || (binding.AcceptedAt is { } at && now - at >= window) ? ConflictStage.None : binding.Stage;
        return new Situation
        {
            ProvesIncumbent = attempt.ShownToken is { } shown && tokens.Find(shown, holder) is not null,
            FromIncumbentsSource = holder.Tokens is not null && Sources.Same(holder.LastSource, attempt.Source),
            TokenUnexpired = holder.Tokens is { } pair && now < pair.Present.ExpiresAt,
            IncumbentAlive = holder.Tokens is not null && now - holder.LastUse < window,
            Stage = stage,
            FromWaitingSource = binding is not null && Sources.Same(binding.Source, attempt.Source),
            IncumbentSeenSince = holder.UsedElsewhere != default,
        };
    }

    /// <summary>How long after its last sign an incumbent counts as alive.</summary>
    public TimeSpan Window(DeviceEntry device) =>
        device.Profile.Interval is { } interval && Intervals * interval > settings.AliveWindow ? Intervals * interval : settings.AliveWindow;
}
