using System.Globalization;
using System.Text.Json;
using Sekisho.Domain.Events;
using Sekisho.Response.Sim.Carriers;

namespace Sekisho.Response.Sim.Template;

/// <summary>A carrier described by a checked <see cref="SimTemplate"/>. Any thread.</summary>
internal sealed class TemplateCarrier(Uri origin, SimTemplate template, IReadOnlyDictionary<string, string> secrets, SimSettings settings, TimeProvider clock) : ISimProvider
{
    public const string Kind = "http";

    private static readonly TimeSpan UsualLogin = TimeSpan.FromHours(1);

    private readonly CarrierHttp _http = new(origin, settings, clock);
    private readonly SemaphoreSlim _signIn = new(1, 1);
    private volatile Login? _login;

    public string Name => Kind;

    public bool Offers(string state) => Order(state) is not null;

    public async Task TryAsync(CancellationToken cancellation)
    {
        if (template.Login is not null)
        {
            await LoginAsync(null, cancellation);
        }
    }

    public async Task<string?> FindAsync(SimName name, CancellationToken cancellation)
    {
        if (name.Kind == SimNames.SimId)
        {
            return (await StatusAsync(name.Value, cancellation))?.SimId;
        }

        if (template.Find?.GetValueOrDefault(name.Kind) is not { } call)
        {
            throw new CarrierException(CarrierFaults.Refused, $"The template has no way to find a SIM by its {name.Kind}.");
        }

        var answer = await CallAsync(call, new() { ["name"] = name.Value }, cancellation);
        if (answer.Status == 404)
        {
            return null;
        }

        return Read(Body(answer), call, "sim") is not { } sim ? null : SimNames.IsSimId(sim) ? sim : throw Nonsense("The carrier's identifier of the SIM has characters that none has.");
    }

    public async Task<SimStatus?> StatusAsync(string simId, CancellationToken cancellation)
    {
        var call = template.Status!;
        var answer = await CallAsync(call, new() { ["sim"] = simId }, cancellation);
        if (answer.Status == 404)
        {
            return null;
        }

        var body = Body(answer);
        if (Read(body, call, "state") is not { } word || template.States!.GetValueOrDefault(word) is not { } state)
        {
            throw Nonsense("The carrier tells a state that the template does not know.");
        }

        bool? online = Read(body, call, "online")?.ToUpperInvariant() switch
        {
            "TRUE" or "1" or "ONLINE" or "CONNECTED" or "ATTACHED" => true,
            "FALSE" or "0" or "OFFLINE" or "DISCONNECTED" or "DETACHED" => false,
            _ => null,
        };
        var names = new[] { simId, Read(body, call, "iccid"), Read(body, call, "imsi") }.OfType<string>().ToList();
        var cell = Read(body, call, "cell");
        return new SimStatus(simId, state, names, online, online == false ? null : CarrierText.Address(Read(body, call, "address")), cell is not null && Places.IsName(cell) ? cell : null);
    }

    public async Task OrderAsync(string simId, string state, CancellationToken cancellation)
    {
        var call = Order(state) ?? throw new CarrierException(CarrierFaults.Refused, $"The template has no order for '{state}'.");
        Good(await CallAsync(call, new() { ["sim"] = simId }, cancellation));
    }

    public async Task<IReadOnlyList<SimTraffic>?> TrafficAsync(string simId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        if (template.Traffic is not { } call)
        {
            return null;
        }

        var body = Body(await CallAsync(call, new() { ["sim"] = simId, ["from"] = Written(from), ["to"] = Written(to) }, cancellation));
        if (!call.Read!.TryGetValue("items", out var path))
        {
            return [new SimTraffic(from, Bytes(body, call, "up"), Bytes(body, call, "down"), to)];
        }

        if (JsonPath.Parse(path)!.Find(body) is not { ValueKind: JsonValueKind.Array } items)
        {
            throw Nonsense("The carrier's traffic is no list.");
        }

        return [.. items.EnumerateArray().Select(i => new SimTraffic(Time(Read(i, call, "at")), Bytes(i, call, "up"), Bytes(i, call, "down"))).Where(t => t.At >= from && t.At < to)];
    }

    public void Dispose()
    {
        _http.Dispose();
        _signIn.Dispose();
    }

    private SimCall? Order(string state) => state switch
    {
        SimStates.Suspended => template.Suspend,
        SimStates.Inactive => template.Deactivate,
        SimStates.Active => template.Activate,
        _ => null,
    };

    private async Task<CarrierAnswer> CallAsync(SimCall call, Dictionary<string, string> values, CancellationToken cancellation)
    {
        if (template.Login is null)
        {
            return await SendAsync(call, values, null, cancellation);
        }

        var login = await LoginAsync(null, cancellation);
        var answer = await SendAsync(call, values, login, cancellation);
        return answer.Status != 401 ? answer : await SendAsync(call, values, await LoginAsync(login, cancellation), cancellation);
    }

    private async Task<Login> LoginAsync(Login? refused, CancellationToken cancellation)
    {
        if (_login is { } present && present != refused && present.Until > clock.GetUtcNow())
        {
            return present;
        }

        await _signIn.WaitAsync(cancellation);
        try
        {
            if (_login is { } made && made != refused && made.Until > clock.GetUtcNow())
            {
                return made;
            }

            _login = null;
            var call = template.Login!;
            var body = Body(await SendAsync(call, [], null, cancellation));
            var values = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var name in call.Read?.Keys.Where(k => k != "expiresIn") ?? [])
            {
                values["login." + name] = Read(body, call, name) ?? throw Nonsense("The carrier signed in without giving what the template reads.");
            }

            var life = Read(body, call, "expiresIn") is { } told && long.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? TimeSpan.FromSeconds(Math.Clamp(seconds, 1, 86_400))
                : UsualLogin;
            return _login = new Login(values, clock.GetUtcNow() + (life * 0.9));
        }
        finally
        {
            _signIn.Release();
        }
    }

    private Task<CarrierAnswer> SendAsync(SimCall call, Dictionary<string, string> values, Login? login, CancellationToken cancellation)
    {
        foreach (var (name, value) in secrets)
        {
            values["secret." + name] = value;
        }

        foreach (var (name, value) in login?.Values ?? new Dictionary<string, string>())
        {
            values[name] = value;
        }

        var common = call == template.Login ? null : template.Headers;
        var headers = (common ?? new Dictionary<string, string>()).Concat(call.Headers ?? new Dictionary<string, string>())
            .Select(h => (h.Key, Value: TemplateText.Fill(h.Value, values, v => v))).ToList();
        if (headers.Any(h => !h.Value.All(c => c is >= ' ' and <= '~')))
        {
            throw Nonsense("A value that the carrier gave at sign-in cannot stand in a header.");
        }

        return _http.SendAsync(
            new HttpMethod(call.Method!),
            TemplateText.Fill(call.Path!, values, Uri.EscapeDataString),
            headers,
            call.Body is { } body ? TemplateText.Fill(body, values) : null,
            cancellation);
    }

    private static CarrierAnswer Good(CarrierAnswer answer) => answer.Status switch
    {
        404 => throw new CarrierException(CarrierFaults.Refused, "The carrier has no such SIM."),
        401 or 403 => throw new CarrierException(CarrierFaults.Denied, $"The carrier does not let these credentials do this ({answer.Status})."),
        _ => answer,
    };

    private static JsonElement Body(CarrierAnswer answer) => Good(answer).Body ?? throw Nonsense("The carrier answered nothing where the template reads something.");

    private static string? Read(JsonElement body, SimCall call, string name) =>
        call.Read?.TryGetValue(name, out var path) == true && JsonPath.Parse(path)!.Text(body) is { Length: <= 4096 } text ? text : null;

    private static long Bytes(JsonElement body, SimCall call, string name) =>
        long.TryParse(Read(body, call, name), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes < 1L << 50
            ? bytes
            : throw Nonsense("The carrier's traffic is no whole number of bytes.");

    private string Written(DateTimeOffset time) => template.Times switch
    {
        "unix-seconds" => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        "unix-milliseconds" => time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        _ => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
    };

    private DateTimeOffset Time(string? text)
    {
        if (template.Times == "iso-8601")
        {
            return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : throw Nonsense("The carrier's traffic has no time.");
        }

        var scale = template.Times == "unix-seconds" ? 1000 : 1;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 253_402_300_799_000 / scale
            ? DateTimeOffset.FromUnixTimeMilliseconds(number * scale)
            : throw Nonsense("The carrier's traffic has no time.");
    }

    private static CarrierException Nonsense(string message) => new(CarrierFaults.Nonsense, message);

    private sealed record Login(IReadOnlyDictionary<string, string> Values, DateTimeOffset Until);
}
