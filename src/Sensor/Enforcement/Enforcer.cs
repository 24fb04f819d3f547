using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Sekisho.Sensor.Uplink;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Enforcement;

/// <summary>How orders are enforced.</summary>
/// <param name="Gateway">https://HOST:PORT of the gateway's listener for sensors.</param>
/// <param name="Folder">Who the sensor is, and the orders in force.</param>
/// <param name="Families">The nftables families that see the traffic: "inet" for what is routed, "bridge" for what is bridged.</param>
/// <param name="Protect">Networks that no order touches.</param>
/// <param name="Namespace">Name of the network namespace whose rules these are; null for that of this program.</param>
internal sealed record EnforcementOptions(Uri Gateway, string Folder, IReadOnlyList<string> Families, IReadOnlyList<IPNetwork> Protect, string? Namespace = null);

/// <summary>
/// Fetches signed orders from the gateway and keeps the kernel's sets as they say. What is in the kernel ends by the kernel's own clock, so a measure
/// ends also when this program and the gateway are gone. <see cref="RunAsync"/> is one task; the rest is for any thread.
/// </summary>
/// <param name="options">How.</param>
/// <param name="clock">Time and waits.</param>
/// <param name="tell">Takes what people should know: key of a text, and its values.</param>
internal sealed class Enforcer(EnforcementOptions options, TimeProvider clock, Action<string, (string Name, string Value)[]> tell)
{
    private const int PollSeconds = 8;
    private const int LargestOrder = 4 * ((NetworkOrderCodec.MostBytes / 3) + 1);
    private static readonly long s_latest = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(PollSeconds + 20);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(30);

    private readonly ProtectedHosts _protected = new(options.Gateway, options.Protect);
    private readonly Dictionary<string, HashSet<SetElement>> _inherited = new(StringComparer.Ordinal);
    private bool _askedAnew;
    private volatile object? _behind; // a boxed TimeSpan, so that it is read whole
    private volatile UplinkTrouble? _trouble;
    private volatile EnforcementException? _fault;

    /// <summary>Why no orders come now; null while all is well.</summary>
    public UplinkTrouble? Trouble => _trouble;

    /// <summary>Why the kernel's sets are not as the orders say; null while they are.</summary>
    public EnforcementException? Fault => _fault;

    /// <summary>How far this clock is ahead of the gateway's where that is too far: started without the gateway, it would not keep the ends of orders. Null where it is not, and before the first answer.</summary>
    public TimeSpan? ClockOff => _behind is TimeSpan behind && behind.Duration() > NetworkOrderCodec.ClockTolerance ? -behind : null;

    // The gateway's clock as far as it is known: the ends of orders are by it.
    private DateTimeOffset Now => clock.GetUtcNow() + ((TimeSpan?)_behind ?? TimeSpan.Zero);

    /// <summary>Enforces until it is cancelled.</summary>
    /// <exception cref="EnforcementException">The rules cannot be made at all.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what is in the kernel stays there until its time is over.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var link = Link.Open(options);
        var key = OrderKey.Pinned(options.Folder);
        try
        {
            var book = OrderBook.Open(options.Folder, key, link.SensorId);
            await ApplyAsync(book, cancellation).ConfigureAwait(false);
            tell("enforce.ready", [("count", book.InForce.Count(o => !o.HasEnded(Now)).ToString(CultureInfo.InvariantCulture)), ("families", string.Join(", ", options.Families))]);
            var looked = clock.GetTimestamp();
            while (true)
            {
                link = link.Renewed(options);
                var (orders, pem) = await PollAsync(link, book, cancellation).ConfigureAwait(false);
                key ??= pem is null ? null : OrderKey.Pin(options.Folder, pem);
                var changed = orders is { Count: > 0 };
                var gathered = book.Anew && orders is { Count: 0 };
                if (gathered)
                {
                    book.Anew = false;
                    book.Save();
                }

                if (changed)
                {
                    // Who is protected is looked at anew: a route may lead by another router by now.
                    await _protected.LookAsync(book.InForce, cancellation).ConfigureAwait(false);
                    Take(book, orders!, key, link.SensorId);
                }

                if (changed || gathered || _fault is not null || clock.GetElapsedTime(looked) >= s_lookEvery)
                {
                    looked = clock.GetTimestamp();
                    await TryApplyAsync(book, cancellation).ConfigureAwait(false);
                }

                if (orders is null)
                {
                    await Task.Delay(s_retry, clock, cancellation).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            key?.Dispose();
            link.Dispose();
        }
    }

    /// <summary>The nftables families that see the traffic of some interfaces.</summary>
    public static IReadOnlyList<string> FamiliesOf(IEnumerable<string> interfaces) =>
        interfaces.Any(i => Directory.Exists($"/sys/class/net/{i}/brport") || Directory.Exists($"/sys/class/net/{i}/bridge")) ? [NftRules.Bridged, NftRules.Routed] : [NftRules.Routed];

    /// <summary>Checks what came, and writes down what is followed before anything is done.</summary>
    private void Take(OrderBook book, IReadOnlyList<(long Sequence, byte[] Bytes)> orders, ECDsa? key, string sensorId)
    {
        foreach (var (sequence, bytes) in orders)
        {
            NetworkOrder? order = null;
            var fault = key is null ? OrderFault.WrongSignature : NetworkOrderCodec.TryDecode(bytes, key, out order);
            fault = fault == OrderFault.None ? NetworkOrderCodec.Check(order!, sensorId, book.Last, Now) : fault;
            if (fault != OrderFault.None)
            {
                // Nothing of it is believed, not even its number: only what the gateway called it by goes back.
                Refuse(book, sequence, JsonNamingPolicy.KebabCaseLower.ConvertName(fault.ToString()));
            }
            else if (_protected.Holds(order!))
            {
                book.Pass(order!);
                Refuse(book, order!.Sequence, OrderBook.Protected);
            }
            else if (!book.Take(order!, bytes))
            {
                Refuse(book, order!.Sequence, "full");
            }
            else
            {
                book.Answer(new OrderAnswer(order!.Sequence, order.Kind == NetworkOrderKind.Lift ? "lifted" : "applied"));
                tell(order.Kind == NetworkOrderKind.Lift ? "enforce.lifted" : "enforce.taken", [("measure", order.Measure), ("until", DateTimeOffset.FromUnixTimeMilliseconds(order.ExpiresAt).ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture))]);
            }
        }

        book.Save();
    }

    private void Refuse(OrderBook book, long sequence, string cause)
    {
        book.Answer(new OrderAnswer(sequence, "refused", cause));
        tell("enforce.refused", [("order", sequence.ToString(CultureInfo.InvariantCulture)), ("cause", cause)]);
    }

    private async Task TryApplyAsync(OrderBook book, CancellationToken cancellation)
    {
        try
        {
            await ApplyAsync(book, cancellation).ConfigureAwait(false);
            _fault = null;
        }
        catch (EnforcementException e)
        {
            // The orders stay written down; it is tried again with the next poll, and the gateway is told that they are not in force.
            _fault = e;
            tell("enforce.not-applied", [("detail", e.Detail)]);
        }
    }

    /// <summary>Makes the kernel's sets what the orders say, whatever is in them. Until the gateway has given all of them anew, what was there before stays there for its time.</summary>
    private async Task ApplyAsync(OrderBook book, CancellationToken cancellation)
    {
        var now = Now;
        await _protected.LookAsync(book.InForce, cancellation).ConfigureAwait(false);

        // By a clock that may be wrong no order is over; the kernel ends it all the same.
        var changed = _behind is not null && _trouble is null && book.DropEnded(now);

        // Somebody may have become protected since: the gateway moved to an address that is blocked. The gateway hears that this order is over.
        foreach (var spared in book.InForce.Where(_protected.Holds))
        {
            book.Spare(spared);
            changed = true;
            tell("enforce.spared", [("measure", spared.Measure)]);
        }

        if (changed)
        {
            book.Save();
        }

        var wanted = SetElement.Wanted(book.InForce, now);
        foreach (var family in options.Families)
        {
            var state = await Nft.ListAsync(family, options.Namespace, cancellation).ConfigureAwait(false);
            var setUp = state is null || !NftRules.IsSetUp(family, state);
            var current = state?.Elements ?? new Dictionary<SetElement, long>();
            var transaction = NftRules.Transaction(family, setUp, book.Anew ? WithoutInherited(family, current, wanted) : current, wanted, now);
            if (transaction.Length > 0)
            {
                await Nft.ChangeAsync(transaction, options.Namespace, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What was there at the start stays until an order has asked for it once; from then on it is as the orders say.</summary>
    private Dictionary<SetElement, long> WithoutInherited(string family, IReadOnlyDictionary<SetElement, long> current, Dictionary<SetElement, DateTimeOffset> wanted)
    {
        if (!_inherited.TryGetValue(family, out var inherited))
        {
            _inherited[family] = inherited = [.. current.Keys];
        }

        inherited.ExceptWith(wanted.Keys);
        return current.Where(e => !inherited.Contains(e.Key)).ToDictionary();
    }

    /// <summary>Tells the gateway what became of orders, and waits for the next.</summary>
    /// <returns>No orders (null) when the gateway did not answer.</returns>
    private async Task<(IReadOnlyList<(long, byte[])>? Orders, string? Key)> PollAsync(Link link, OrderBook book, CancellationToken cancellation)
    {
        var answers = book.Answers.ToList();

        // A gateway that hears of a lower number than it gave gives anew what still stands, once: what it gave then waits there until it is answered.
        var last = book.Anew && !_askedAnew ? 0 : book.Last;
        GatewayAnswer answer;
        try
        {
            answer = await link.Client.SendAsync(HttpMethod.Post, "/sensor/v1/orders", Question(last, answers, failed: _fault is not null), clock, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            _trouble = new UplinkTrouble(UplinkFault.Unreachable, e.Message);
            return default;
        }

        if (!answer.Done || Orders(answer) is not { } orders)
        {
            // Not even a refusal ends this: what is in force is to be seen to until its time is over.
            _trouble = new UplinkTrouble(answer.Status is >= 500 or 429 ? UplinkFault.Busy : answer.Text("type") is null ? UplinkFault.NoGateway : UplinkFault.Refused, answer.Status.ToString(CultureInfo.InvariantCulture));
            return default;
        }

        _trouble = null;
        _askedAnew = true;
        Compare(answer.Number("time"));
        if (answers.Count > 0 && _fault is null)
        {
            book.Told(answers);
            book.Save();
        }

        return (orders, answer.Text("key"));
    }

    /// <summary>Compares the clocks, and tells when they begin to be too far apart.</summary>
    private void Compare(long? time)
    {
        if (time is not { } milliseconds || milliseconds > s_latest)
        {
            return;
        }

        var was = ClockOff;
        _behind = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) - clock.GetUtcNow();
        if (was is null && ClockOff is { } off)
        {
            tell("enforce.clock", [("seconds", off.TotalSeconds.ToString("+0;-0", CultureInfo.InvariantCulture))]);
        }
    }

    private static ByteArrayContent Question(long last, IReadOnlyList<OrderAnswer> answers, bool failed)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("last", last);
            json.WriteNumber("wait", failed ? 1 : PollSeconds);
            json.WriteStartArray("answers");
            foreach (var answer in answers)
            {
                // What is not in the kernel yet is not said to be.
                (failed && answer.Outcome != "refused" ? answer with { Outcome = "failed", Cause = "nft" } : answer).Write(json);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new ByteArrayContent(stream.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
    }

    internal static IReadOnlyList<(long, byte[])>? Orders(GatewayAnswer answer)
    {
        if (answer.Body is not { } body || !body.TryGetProperty("orders", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var orders = new List<(long, byte[])>();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("sequence", out var sequence) || sequence.ValueKind != JsonValueKind.Number || !sequence.TryGetInt64(out var number)
                || !item.TryGetProperty("order", out var text) || text.ValueKind != JsonValueKind.String || text.GetString()!.Length > LargestOrder || !text.TryGetBytesFromBase64(out var bytes))
            {
                return null;
            }

            orders.Add((number, bytes));
        }

        return orders;
    }

    /// <summary>The connection to the gateway with the certificate of the moment; the uplink renews it in its file.</summary>
    private sealed class Link : IDisposable
    {
        private readonly SensorIdentity _identity;

        private Link(SensorIdentity identity, GatewayClient client, DateTime written) => (_identity, Client, Written) = (identity, client, written);

        public GatewayClient Client { get; }

        public string SensorId => _identity.Certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

        private DateTime Written { get; }

        public static Link Open(EnforcementOptions options)
        {
            var written = SensorIdentity.Written(options.Folder);
            var identity = SensorIdentity.Load(options.Folder);
            return new Link(identity, GatewayClient.Trusting(options.Gateway, identity.Authority, identity.Certificate, s_timeout, _ => { }), written);
        }

        public Link Renewed(EnforcementOptions options)
        {
            if (SensorIdentity.Written(options.Folder) == Written)
            {
                return this;
            }

            var next = Open(options);
            Dispose();
            return next;
        }

        public void Dispose()
        {
            Client.Dispose();
            _identity.Dispose();
        }
    }
}
