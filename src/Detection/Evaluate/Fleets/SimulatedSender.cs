using System.Globalization;
using System.Text;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Evaluate.Fleets;

/// <summary>One device of a simulated fleet. One thread.</summary>
internal sealed class SimulatedSender(string id, int number, FleetGroup group, string? place, Absences absences, SenderTimes times, Chance chance)
{
    private const long Minute = 60_000;
    private const long Hour = 60 * Minute;
    private const long Day = 24 * Hour;
    private const int MostStored = 2000;
    private const double WakeSeconds = 30;

    private readonly Dictionary<string, double> _slow = [];
    private readonly Dictionary<string, double> _counts = [];
    private readonly List<MessageEvent> _stored = [];
    private long _sequence;
    private int _epoch = 1;
    private long _clock = (long)((chance.Next() * 4000) - 2000);
    private long _clockRight;
    private int _network = 100 + (number % 3);
    private int _host = 1 + (number % 250);
    private long _tripUntil;
    private long _tripNext;
    private long _hourBytes;
    private int _hourRequests;
    private long _correlation;

    /// <summary>Bytes of the connections from the device, as the gateway counts them: head of each request, TLS.</summary>
    public static long WireUp(long bytes, int requests) => bytes + (420L * requests);

    /// <summary>And to it.</summary>
    public static long WireDown(int requests) => 260L * requests;

    /// <summary>Its events by arrival.</summary>
    public IEnumerable<GatewayEvent> Events()
    {
        // A repeat that comes seconds later may be overtaken by what follows; the gateway takes one after the other.
        var last = DateTimeOffset.MinValue;
        foreach (var one in Happenings())
        {
            last = one.ArrivedAt > last ? one.ArrivedAt : last;
            yield return one with { ArrivedAt = last };
        }
    }

    private IEnumerable<GatewayEvent> Happenings()
    {
        var sundries = new Queue<(long At, string What)>(Sundries().OrderBy(s => s.At));
        yield return Authentication(times.From + (long)(chance.Next() * Minute), AuthenticationOutcomes.Bound);
        var nextRegular = times.From + (long)(chance.Next() * (group.Interval?.TotalMilliseconds ?? Hour));
        var nextEvent = NextEvent(times.From);
        while (true)
        {
            var at = Math.Min(group.Interval is null ? long.MaxValue : nextRegular, nextEvent);
            if (at >= times.To)
            {
                yield break;
            }

            while (sundries.TryPeek(out var sundry) && sundry.At <= at)
            {
                sundries.Dequeue();
                foreach (var one in Sundry(sundry.At, sundry.What))
                {
                    yield return one;
                }
            }

            // What was stored goes first once the device is heard again.
            if (_stored.Count > 0 && Unheard(at) is null)
            {
                foreach (var late in Backlog(at))
                {
                    yield return late;
                }
            }

            var isRegular = at == nextRegular && group.Interval is not null;
            var mode = Mode(at);
            if (!(isRegular && group.Rests && !IsActive(at)) && !IsOff(at))
            {
                foreach (var one in Send(at, mode))
                {
                    yield return one;
                }
            }

            if (isRegular)
            {
                // With the engine it wakes up.
                nextRegular = mode == "off" ? Math.Min(at + Distance(mode), Math.Max(at + 1000, _tripNext)) : at + Distance(mode);
            }

            if (at == nextEvent)
            {
                nextEvent = NextEvent(at);
            }
        }
    }

    private IEnumerable<GatewayEvent> Send(long at, string? mode)
    {
        var message = Message(at, mode);
        if (Unheard(at) is not null)
        {
            if (group.Stores && _stored.Count < MostStored)
            {
                _stored.Add(message);
            }

            yield break;
        }

        yield return Count(message);
        if (chance.Next() < Troubles.Retries)
        {
            yield return Count(message with { ArrivedAt = message.ArrivedAt.AddSeconds(2 + (chance.Next() * 8)) });
        }
    }

    // Oldest first, a fifth of a second apart, just before what is due now; all of it twice when the acknowledgement was lost.
    private IEnumerable<GatewayEvent> Backlog(long before)
    {
        var rounds = chance.Next() < Troubles.Twice ? 2 : 1;
        var at = before - (200L * _stored.Count * rounds) - 1000;
        var heard = absences.Stops.Concat(absences.Outages).Where(a => a.To <= before).Select(a => a.To).DefaultIfEmpty(0).Max();
        at = Math.Max(at, heard + 1000);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var late in _stored)
            {
                yield return Count(late with { ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(at, before)), Source = Source });
                at += 200;
            }
        }

        _stored.Clear();
    }

    private MessageEvent Message(long at, string? mode)
    {
        var (least, most) = group.LargeShare > 0 && chance.Next() < group.LargeShare ? (group.LargeSize[0], group.LargeSize[1]) : (group.Size[0], group.Size[1]);
        var told = at + _clock;
        var sequence = ++_sequence;
        var payload = new StringBuilder();
        payload.Append(CultureInfo.InvariantCulture, $"{{\"time\":\"{DateTimeOffset.FromUnixTimeMilliseconds(told):yyyy-MM-ddTHH:mm:ss.fffZ}\",\"seq\":{sequence}");
        foreach (var (name, value) in group.Values)
        {
            payload.Append(CultureInfo.InvariantCulture, $",\"{name}\":{Value(name, value, at).ToString("F" + value.Digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)}");
        }

        payload.Append('}');
        return new MessageEvent
        {
            ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(at),
            CorrelationId = Correlation(),
            FieldId = BenignFleet.FieldId,
            DeviceId = id,
            Epoch = _epoch,
            DeviceTime = DateTimeOffset.FromUnixTimeMilliseconds(told),
            Sequence = sequence.ToString(CultureInfo.InvariantCulture),
            Mode = mode,
            Place = place,
            Source = Source,
            Size = least + (int)(chance.Next() * (most - least + 1)),
            Payload = Encoding.UTF8.GetBytes(payload.ToString()),
            MessageId = $"{sequence:x8}{number:x4}{_epoch:x4}{0:x16}", // repeats are recognised by its first half
        };
    }

    private double Value(string name, FleetValue value, long at)
    {
        if (value.Counts)
        {
            var hours = (group.Interval?.TotalHours ?? 1) * value.Mean * Math.Max(0, 1 + (value.Noise * Draw.Normal(chance)));
            return _counts[name] = _counts.GetValueOrDefault(name, 1000 * chance.Next()) + hours;
        }

        var slow = _slow[name] = (0.98 * _slow.GetValueOrDefault(name)) + (Math.Sqrt(1 - (0.98 * 0.98)) * Draw.Normal(chance));
        var local = Local(at).TimeOfDay.TotalHours;
        return value.Mean + (value.Swing * Math.Sin(2 * Math.PI * (local - 9) / 24)) + (value.Slow * slow) + (value.Noise * Draw.Normal(chance));
    }

    private IEnumerable<(long At, string What)> Sundries()
    {
        IEnumerable<long> Times(double perMonth)
        {
            for (var at = times.From + Wait(perMonth); at < times.To; at += Wait(perMonth))
            {
                yield return at;
            }
        }

        long Wait(double perMonth) => (long)(Draw.Exponential(chance) * 30 * Day / perMonth) + 1;
        for (var at = times.From + (long)(chance.Next() * Troubles.RenewalHours * Hour); at < times.To; at += (long)(Troubles.RenewalHours * Hour))
        {
            yield return (at, "renew");
        }

        for (var at = times.From + Hour; group.HasSim && at < times.To; at += Hour)
        {
            yield return (at, "sim");
        }

        foreach (var (_, to) in absences.Reboots.Concat(absences.Cuts))
        {
            yield return (to, "boot");
        }

        foreach (var (what, rate) in new[] { ("clock", Troubles.ClockSteps), ("address", Troubles.Addresses), ("carrier", Troubles.Carriers), ("broken", Troubles.Broken), ("mistyped", group.IsPersonal ? Troubles.Mistyped : 0) })
        {
            foreach (var at in rate > 0 ? Times(rate) : [])
            {
                yield return (at, what);
            }
        }
    }

    private IEnumerable<GatewayEvent> Sundry(long at, string what)
    {
        if (_clockRight != 0 && at >= _clockRight)
        {
            (_clock, _clockRight) = ((long)((chance.Next() * 4000) - 2000), 0);
        }

        switch (what)
        {
            case "clock":
                (_clock, _clockRight) = ((long)(((chance.Next() * 2) - 1) * 90_000), at + (long)(chance.Next() * Day));
                break;
            case "address":
                _host = 1 + (int)(chance.Next() * 250);
                break;
            case "carrier":
                _network = 100 + (int)(chance.Next() * 20);
                break;
            case "boot":
                _epoch++;
                _sequence = 0;
                _stored.Clear();
                yield return Authentication(at, AuthenticationOutcomes.Bound);
                break;
            case "sim":
                yield return Sim(at);
                break;
            default:
                // Asleep or out of reach nobody renews, mistypes or breaks anything.
                if (Unheard(at) is null && !IsOff(at) && (!group.Rests || IsActive(at)))
                {
                    foreach (var one in Contact(at, what))
                    {
                        yield return one;
                    }
                }

                break;
        }
    }

    private IEnumerable<GatewayEvent> Contact(long at, string what)
    {
        if (what == "broken")
        {
            yield return Refusal(at, RefusalReasons.Malformed);
        }
        else if (what == "mistyped")
        {
            for (var times = 1 + (int)(chance.Next() * 3); times > 0; times--)
            {
                yield return Authentication(at, AuthenticationOutcomes.WrongSecret);
                yield return Refusal(at, RefusalReasons.WrongSecret);
                at += 4000 + (long)(chance.Next() * 8000);
            }

            yield return Authentication(at, AuthenticationOutcomes.Renewed);
        }
        else
        {
            yield return Authentication(at, AuthenticationOutcomes.Renewed);
        }
    }

    private AuthenticationEvent Authentication(long at, string outcome) => new()
    {
        ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(at),
        CorrelationId = Correlation(),
        FieldId = BenignFleet.FieldId,
        DeviceId = id,
        Outcome = outcome,
        Source = Source,
        Client = group.Kind + "/1.0",
        UserId = group.IsPersonal ? id : null,
    };

    private RefusalEvent Refusal(long at, string reason) => new()
    {
        ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(at),
        CorrelationId = Correlation(),
        Reason = reason,
        Source = Source,
        DeviceId = id,
        FieldId = BenignFleet.FieldId,
        Count = 1,
        Bytes = 80,
    };

    // The carrier counts IP and TCP as well, what nobody at the gateway sees (name look-ups, time), and some scanning from the Internet.
    private SimFactEvent Sim(long at)
    {
        var isAttached = Unheard(at) is not { IsCoverage: true } && !IsOff(at);
        var fact = new SimFactEvent
        {
            ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(at),
            CorrelationId = Correlation(),
            FieldId = BenignFleet.FieldId,
            DeviceId = id,
            Provider = "carrier",
            From = DateTimeOffset.FromUnixTimeMilliseconds(at - Hour),
            To = DateTimeOffset.FromUnixTimeMilliseconds(at),
            UplinkBytes = (long)(WireUp(_hourBytes, _hourRequests) * (1.06 + (0.02 * chance.Next()))) + (240L * _hourRequests) + (long)(300 * chance.Next()),
            DownlinkBytes = WireDown(_hourRequests) + (180L * _hourRequests) + (long)(chance.Next() < 0.02 ? 40_000 * chance.Next() : 300 * chance.Next()),
            Address = Source,
            Session = isAttached ? SimSessions.Attached : SimSessions.Detached,
            Cell = place ?? $"cell-{number % 40}",
        };
        (_hourBytes, _hourRequests) = (0, 0);
        return fact;
    }

    private MessageEvent Count(MessageEvent message)
    {
        _hourBytes += message.Size;
        _hourRequests++;
        return message;
    }

    // A clock that wakes a device after hours is as good as one that counts minutes; to find the network takes it some seconds.
    private long Distance(string? mode)
    {
        var usual = group.Interval!.Value.TotalMilliseconds;
        var spread = usual * group.Jitter * Math.Clamp(Draw.Normal(chance), -3, 3);
        return Math.Max(1000, (long)((mode == "off" && group.OffInterval is { } off ? off.TotalMilliseconds + (WakeSeconds * 1000 * chance.Next()) : usual) + spread));
    }

    private long NextEvent(long after)
    {
        if (group.PerHour <= 0 && group.PerHourOutside <= 0)
        {
            return long.MaxValue;
        }

        // Thinning: candidates at the higher rate, each taken with the share that its hour has.
        var most = Math.Max(group.PerHour, group.PerHourOutside);
        for (var at = after; at < times.To;)
        {
            at += Math.Max(1, (long)(Draw.Exponential(chance) * Hour / most));
            if (chance.Next() < (IsActive(at) ? group.PerHour : group.PerHourOutside) / most)
            {
                return at;
            }
        }

        return long.MaxValue;
    }

    private string? Mode(long at)
    {
        if (group.Trips <= 0)
        {
            return null;
        }

        if (at >= _tripNext && at >= _tripUntil)
        {
            // It wakes up for trips only: one that falls outside of the active hours is not made.
            _tripUntil = _tripNext != 0 ? at + (long)(Minute * (15 + (60 * chance.Next()))) : 0;
            _tripNext = Math.Max(at, _tripUntil);
            do
            {
                _tripNext += (long)(Draw.Exponential(chance) * Day / group.Trips / 2) + 1;
            }
            while (!IsActive(_tripNext));
        }

        return at < _tripUntil ? "on" : "off";
    }

    private DateTime Local(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at).UtcDateTime + times.Zone.GetUtcOffset(DateTimeOffset.FromUnixTimeMilliseconds(at));

    private bool IsActive(long at)
    {
        var local = Local(at);
        var day = DateOnly.FromDateTime(local);
        if (group.WeekdaysOnly && (day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday || times.Calendar.IsHoliday(day)))
        {
            return false;
        }

        var time = TimeOnly.FromDateTime(local);
        return group.From == group.To || (group.From < group.To ? time >= group.From && time < group.To : time >= group.From || time < group.To);
    }

    private bool IsOff(long at) => End(absences.Cuts, at) > 0 || End(absences.Reboots, at) > 0;

    private (bool IsCoverage, long To)? Unheard(long at) =>
        End(absences.Outages, at) is > 0 and var outage ? (true, outage) : End(absences.Stops, at) is > 0 and var stop ? (false, stop) : null;

    // End of the span that holds the moment; 0 for none.
    private static long End(IReadOnlyList<(long From, long To)> spans, long at)
    {
        for (var i = 0; i < spans.Count; i++)
        {
            if (at >= spans[i].From && at < spans[i].To)
            {
                return spans[i].To;
            }
        }

        return 0;
    }

    private string Source => $"198.51.{_network}.{_host}";

    private string Correlation() => $"{number:x8}{++_correlation:x24}";
}
