using System.Globalization;
using System.Net;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Wire.Features;
using Sekisho.Wire.Orders;

namespace Sekisho.Behaviour.Orders;

/// <summary>What an enforcer says of an order.</summary>
/// <param name="Sequence">Number of the order.</param>
/// <param name="Outcome">One of <see cref="Outcomes.OfEnforcers"/>.</param>
/// <param name="Cause">Why not.</param>
internal sealed record EnforcerAnswer(long Sequence, string? Outcome, string? Cause);

/// <summary>A signed order on its way.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="Order">Its bytes.</param>
internal sealed record SignedOrder(long Sequence, byte[] Order);

/// <summary>Gives enforcers the orders that they need, and takes their answers. What each needs is found out when it asks, so one that comes later, or was set back, gets everything that stands. Any thread.</summary>
internal sealed class OrderDesk(MeasureStore store, OrderSignal signal, ISensorAuthority authority, IHistory history, TimeProvider clock)
{
    /// <summary>Orders of one answer at most.</summary>
    public const int MostOrders = 16;

    private const int LongestCause = 40;

    // How old the note of the last question may become; an enforcer asks more often.
    private static readonly TimeSpan s_noteEvery = TimeSpan.FromSeconds(15);

    // Another node may have changed something: its signal does not reach here.
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(2);

    /// <summary>Takes answers, and waits until there are orders or the time is over.</summary>
    public async Task<IReadOnlyList<SignedOrder>> AskAsync(SensorEntry entry, long last, IReadOnlyList<EnforcerAnswer> answers, TimeSpan wait, string correlationId, CancellationToken cancellation)
    {
        var sensor = entry.Sensor;
        if (answers.Count > 0)
        {
            await TakeAsync(sensor, answers, correlationId, cancellation);
        }

        var until = clock.GetUtcNow() + wait;
        while (true)
        {
            var next = signal.Next;
            var orders = await DueAsync(sensor, last, cancellation);
            var left = until - clock.GetUtcNow();
            if (orders.Count > 0 || left <= TimeSpan.Zero || entry.Gone || entry.Sensor.State == SensorStates.Revoked)
            {
                return entry.Gone || entry.Sensor.State == SensorStates.Revoked ? [] : orders;
            }

            await Task.WhenAny(next, Task.Delay(left < s_lookEvery ? left : s_lookEvery, clock, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private async Task TakeAsync(Sensor sensor, IReadOnlyList<EnforcerAnswer> answers, string correlationId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await store.WriteAsync(
            async t =>
            {
                foreach (var answer in answers.Where(a => a.Outcome is { } outcome && Outcomes.OfEnforcers.Contains(outcome)))
                {
                    var cause = answer.Cause ?? "";
                    cause = cause.Length <= LongestCause && cause.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') ? cause : "unknown";
                    if (await MeasureStore.AnswerAsync(sensor.Id, answer.Sequence, answer.Outcome!, cause, now, t))
                    {
                        history.Append(
                            new HistoryRecord
                            {
                                At = now,
                                Kind = HistoryKinds.Response,
                                What = "network-" + answer.Outcome,
                                FieldId = sensor.FieldId,
                                Actor = "sensor:" + sensor.Id,
                                CorrelationId = correlationId,
                                Subject = string.Create(CultureInfo.InvariantCulture, $"{sensor.Id} {answer.Sequence}"),
                            },
                            t);
                    }
                }
            },
            cancellation);
        signal.Wake();
    }

    private async Task<IReadOnlyList<SignedOrder>> DueAsync(Sensor sensor, long last, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var measures = (await store.OfFieldAsync(sensor.FieldId, now, cancellation)).ToDictionary(m => m.Id, StringComparer.Ordinal);
        var given = await store.OrdersForAsync(sensor.Id, now, cancellation);
        var lost = given.Any(o => o.Sequence > last ? o.Outcome is Outcomes.Applied or Outcomes.Failed : o.Outcome == Outcomes.Waiting);
        var asked = (await store.EnforcersAsync(sensor.FieldId, cancellation)).GetValueOrDefault(sensor.Id);
        if (lost || now - asked > s_noteEvery)
        {
            await store.WriteAsync(
                async t =>
                {
                    await MeasureStore.LoseAsync(sensor.Id, last, t);
                    await MeasureStore.AskedAsync(sensor.Id, now, t);
                },
                cancellation);
            given = lost ? await store.OrdersForAsync(sensor.Id, now, cancellation) : given;
        }

        var newest = given.ToDictionary(o => o.MeasureId, StringComparer.Ordinal);
        var due = measures.Values.Select(m => (Measure: m, Kind: Measures.Due(m, newest.GetValueOrDefault(m.Id), now))).Where(d => d.Kind is not null).OrderBy(d => d.Measure.OrderedAt).ToList();
        if (due.Count > 0)
        {
            await store.WriteAsync(
                async t =>
                {
                    // By the clock, so that a gateway that was set back to a backup goes on above what its enforcers have seen.
                    var sequence = Math.Max(Math.Max(await MeasureStore.LastAsync(sensor.Id, t), last), now.ToUnixTimeMilliseconds() - 1);
                    foreach (var (measure, kind) in due)
                    {
                        var order = new IssuedOrder(sensor.Id, ++sequence, measure.Id, kind!, now, Measures.End(measure, kind!, newest.GetValueOrDefault(measure.Id), now), Outcomes.Waiting, "", null);
                        await MeasureStore.AddAsync(order, t);
                        newest[measure.Id] = order;
                    }
                },
                cancellation);
        }

        return [.. newest.Values.Where(o => o.Outcome == Outcomes.Waiting && o.Sequence > last && measures.ContainsKey(o.MeasureId)).OrderBy(o => o.Sequence).Take(MostOrders)
            .Select(o => new SignedOrder(o.Sequence, NetworkOrderCodec.Encode(Order(o, measures[o.MeasureId].Body), authority.SignOrder)))];
    }

    private static NetworkOrder Order(IssuedOrder order, MeasureBody body) => new()
    {
        SensorId = order.SensorId,
        Measure = order.MeasureId,
        Sequence = order.Sequence,
        Kind = order.Kind switch { Measures.Block => NetworkOrderKind.Block, Measures.Quarantine => NetworkOrderKind.Quarantine, _ => NetworkOrderKind.Lift },
        IssuedAt = order.IssuedAt.ToUnixTimeMilliseconds(),
        ExpiresAt = order.ExpiresAt.ToUnixTimeMilliseconds(),
        Macs = order.IsLift ? [] : [.. body.Macs.Select(m => NetworkNames.Mac(m)!.Value)],
        Addresses = order.IsLift ? [] : [.. body.Addresses.Select(a => NetworkNames.Address(a)!.Value)],
        Reachable = order.IsLift ? [] : [.. body.Reachable.Select(r => NetworkNames.Service(r)!.Value)],
    };
}

/// <summary>MACs, addresses and services as text and as numbers. Pure.</summary>
internal static class NetworkNames
{
    /// <summary>A MAC of one station; null for anything else.</summary>
    public static ulong? Mac(string text)
    {
        var digits = text.Replace(":", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).Trim();
        return digits.Length == 12 && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var mac) && NetworkOrderCodec.Station(mac) ? mac : null;
    }

    public static string Text(ulong mac) => string.Join(':', Enumerable.Range(0, 6).Select(i => ((mac >> (40 - (8 * i))) & 0xFF).ToString("x2", CultureInfo.InvariantCulture)));

    /// <summary>An address of one host; null for anything else.</summary>
    public static NetAddress? Address(string text) =>
        IPAddress.TryParse(text, out var parsed) && NetAddress.FromIPv6(parsed.MapToIPv6().GetAddressBytes()) is var address && NetworkOrderCodec.Host(address) ? address : null;

    /// <summary>"tcp 192.0.2.1 443" as a service; null for anything else.</summary>
    public static NetworkService? Service(string text) =>
        text.Split(' ') is [("tcp" or "udp") and var protocol, var host, var port] && Address(host) is { } address && ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? new NetworkService(address, protocol == "tcp" ? (byte)6 : (byte)17, number)
            : null;

    /// <summary>Whether an address can only be one of the site: a device that lies about its own can then not have others cut off who are elsewhere.</summary>
    public static bool OfSite(NetAddress address)
    {
        if (!address.IsIPv4)
        {
            return address.High >> 57 == 0x7E || address.High >> 54 == 0x3FA;
        }

        var number = (uint)address.Low;
        return number >> 24 == 10 || number >> 20 == 0xAC1 || number >> 16 is 0xC0A8 or 0xA9FE || number >> 22 == 0x191;
    }
}
