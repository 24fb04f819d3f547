using System.Globalization;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Devices;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// Makes the signals that conditions are shown. What it remembers is only a shortcut: a signal depends on the event and the states alone. One
/// lane at a time.
/// </summary>
internal sealed class Signals
{
    private readonly SourceCache _sources = new();
    private readonly Dictionary<ulong, string> _places = [];

    /// <summary>A sequence as a number; <see cref="Signal.NoSequence"/> when it is none.</summary>
    public static long SequenceOf(string? text) =>
        text is not null && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : Signal.NoSequence;

    /// <summary>Notes who sent a message and which way it took; after the device's conditions were asked, so that they can compare.</summary>
    public void Learn(MessageEvent message, Subject device) => device.Facts.TakeSender(_sources.Source(message.Source), _sources.Hash(message.Path));

    /// <summary>Notes in the device's facts what its carrier says.</summary>
    public void Learn(SimFactEvent fact, Subject device) => device.Facts.Take(fact, _sources.Source(fact.Address));

    /// <summary>Notes where and with what the device authenticated; after its conditions were asked, so that they can compare.</summary>
    public void Learn(AuthenticationEvent attempt, Subject device)
    {
        if (attempt.Outcome is AuthenticationOutcomes.Bound or AuthenticationOutcomes.Renewed)
        {
            device.Facts.TakeAuthentication(_sources.Source(attempt.Source), _sources.Hash(attempt.Client), attempt.ArrivedAt.ToUnixTimeMilliseconds());
        }
    }

    public Signal Of(MessageEvent message, Subject device, long told, long sequence, in Placement placed, bool repeated, in LaneClock clock, LaneBooks books) => new()
    {
        Kind = repeated ? SignalKind.Duplicate : SignalKind.Message,
        At = message.ArrivedAt.ToUnixTimeMilliseconds(),
        EventAt = placed.EventAt,
        Position = message.Position,
        Downtime = clock.Downtime,
        TickBefore = clock.TickAt,
        Backlog = placed.Backlog,
        IsClean = !repeated && !placed.Backlog && placed.IsBelieved && !device.IsRaised,
        GapFrom = placed.GapFrom,
        GapTo = placed.GapTo,
        Bytes = message.Size,
        Count = 1,
        Mode = message.Mode,
        DeviceTime = told,
        Sequence = sequence,
        Epoch = message.Epoch,
        Source = _sources.Source(message.Source),
        Device = device.Profile,
        FieldId = message.FieldId,
        DeviceId = message.DeviceId,
        UserId = device.Profile?.UserId,
        Place = device.Facts.Place(_places),
        Path = _sources.Hash(message.Path),
        Facts = device.Facts,
        Priors = books.Priors,
        Happened = message,
    };

    public Signal Of(
        GatewayEvent happened, SignalKind kind, string? what, string? fieldId, string? deviceId, string? source, Subject? device, DeviceProfile? profile, in LaneClock clock, LaneBooks books)
    {
        var at = happened.ArrivedAt.ToUnixTimeMilliseconds();
        return new Signal
        {
            Kind = kind,
            At = at,
            EventAt = happened switch
            {
                SimFactEvent e => Math.Min(at, e.To.ToUnixTimeMilliseconds()),
                TrafficFactEvent e => Math.Min(at, e.To.ToUnixTimeMilliseconds()),
                _ => at,
            },
            Position = happened.Position,
            Downtime = clock.Downtime,
            TickBefore = clock.TickAt,
            IsClean = device is null || !device.IsRaised,
            What = what,
            Sequence = Signal.NoSequence,
            Source = _sources.Source(source),
            Client = happened is AuthenticationEvent { Client: var client } ? _sources.Hash(client) : 0,
            Device = profile,
            FieldId = fieldId,
            DeviceId = deviceId,
            UserId = (happened as AuthenticationEvent)?.UserId ?? profile?.UserId,
            Place = device?.Facts.Place(_places),
            Facts = device?.Facts ?? default,
            Priors = books.Priors,
            Happened = happened,
        };
    }

    /// <summary>A tick as one subject is shown it.</summary>
    public Signal Tick(Subject subject, in Signal tick, LaneBooks books)
    {
        var facts = subject.Facts;
        return tick with
        {
            FieldId = subject.FieldId,
            DeviceId = subject.Id.Scope == Domain.Detection.Scopes.Device ? subject.Id.Key : null,
            Device = subject.Profile,
            UserId = subject.Profile?.UserId,
            IsClean = !subject.IsRaised,
            Sequence = Signal.NoSequence,
            GapFrom = subject.Timeline.GapFrom,
            GapTo = subject.Timeline.GapTo,
            Facts = facts,
            Place = facts.IsEmpty ? null : facts.Place(_places),
            Priors = books.Priors,
        };
    }
}
