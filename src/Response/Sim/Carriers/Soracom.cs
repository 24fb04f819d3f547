using System.Globalization;
using System.Text.Json;
using Sekisho.Domain.Events;

namespace Sekisho.Response.Sim.Carriers;

/// <summary>
/// SORACOM's API as its published OpenAPI description has it (version 20260604): sign-in by auth key, SIMs, sessions, air statistics. The token is
/// held in memory only, renewed before it runs out, and once more when the carrier does not take it. Any thread.
/// </summary>
internal sealed class Soracom(Uri origin, string authKeyId, string authKey, SimSettings settings, TimeProvider clock) : ISimProvider
{
    public const string Kind = "soracom";
    public const string Japan = "https://api.soracom.io/v1";
    public const string Global = "https://g.api.soracom.io/v1";

    private const int PageSize = 100;
    private const int MostPages = 50;
    private static readonly string[] CellParts = ["mcc", "mnc", "lac", "tac", "ci", "eci"];
    private static readonly TimeSpan TokenLife = TimeSpan.FromHours(1);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);

    private readonly CarrierHttp _http = new(origin, settings, clock);
    private readonly SemaphoreSlim _signIn = new(1, 1);
    private volatile Token? _token;

    public string Name => Kind;

    public bool Offers(string state) => true;

    public async Task TryAsync(CancellationToken cancellation) => await GetAsync("/sims?limit=1", cancellation);

    public async Task<string?> FindAsync(SimName name, CancellationToken cancellation)
    {
        if (name.Kind == SimNames.SimId)
        {
            return (await StatusAsync(name.Value, cancellation))?.SimId;
        }

        // The query finds every SIM that has the value somewhere in the name, so that pages are gone through until one bears it whole.
        string? last = null;
        for (var page = 0; page < MostPages; page++)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/query/sims?{name.Kind}={name.Value}&search_type=and&limit={PageSize}")
                + (last is null ? "" : "&last_evaluated_key=" + Uri.EscapeDataString(last));
            if ((await GetAsync(path, cancellation)).Body is not { ValueKind: JsonValueKind.Array } answer)
            {
                throw Nonsense("The carrier's list of SIMs is none.");
            }

            var sims = answer.EnumerateArray().Select(ReadSim).ToList();
            var found = sims.Where(s => s.Names.Contains(name.Value)).Select(s => s.SimId).Distinct(StringComparer.Ordinal).ToList();
            if (found.Count > 1)
            {
                throw Nonsense("The carrier has two SIMs of this name.");
            }

            if (found.Count == 1 || sims.Count == 0)
            {
                return found.FirstOrDefault();
            }

            last = sims[^1].SimId;
        }

        return null;
    }

    public async Task<SimStatus?> StatusAsync(string simId, CancellationToken cancellation)
    {
        var answer = await CallAsync(HttpMethod.Get, "/sims/" + Uri.EscapeDataString(simId), cancellation);
        if (answer.Status == 404)
        {
            return null;
        }

        var status = ReadSim(Good(answer).Body ?? throw Nonsense("The carrier answered nothing where it tells of a SIM."));
        return status.SimId == simId ? status : throw Nonsense("The carrier told of another SIM than the one asked for.");
    }

    public async Task OrderAsync(string simId, string state, CancellationToken cancellation)
    {
        var verb = state switch
        {
            SimStates.Suspended => "suspend",
            SimStates.Inactive => "deactivate",
            SimStates.Active => "activate",
            _ => throw new ArgumentOutOfRangeException(nameof(state)),
        };
        Good(await CallAsync(HttpMethod.Post, $"/sims/{Uri.EscapeDataString(simId)}/{verb}", cancellation));
    }

    public async Task<IReadOnlyList<SimTraffic>?> TrafficAsync(string simId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        // Periods of five minutes; the end is inclusive there.
        var path = string.Create(
            CultureInfo.InvariantCulture, $"/stats/air/sims/{Uri.EscapeDataString(simId)}?from={from.ToUnixTimeSeconds()}&to={to.ToUnixTimeSeconds() - 1}&period=minutes");
        return ReadTraffic((await GetAsync(path, cancellation)).Body);
    }

    internal static IReadOnlyList<SimTraffic> ReadTraffic(JsonElement? body)
    {
        if (body is not { ValueKind: JsonValueKind.Array } items)
        {
            throw Nonsense("The carrier's statistics are none.");
        }

        var traffic = new List<SimTraffic>();
        foreach (var item in items.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("unixtime", out var time) || time.ValueKind != JsonValueKind.Number || !time.TryGetInt64(out var at) || at is < 0 or > 253_402_300_799
                || !item.TryGetProperty("dataTrafficStatsMap", out var map) || map.ValueKind != JsonValueKind.Object)
            {
                throw Nonsense("The carrier's statistics are not as described.");
            }

            long up = 0, down = 0;
            foreach (var speed in map.EnumerateObject())
            {
                up = checked(up + Bytes(speed.Value, "uploadByteSizeTotal"));
                down = checked(down + Bytes(speed.Value, "downloadByteSizeTotal"));
            }

            traffic.Add(new SimTraffic(DateTimeOffset.FromUnixTimeSeconds(at), up, down));
        }

        return traffic;
    }

    public void Dispose()
    {
        _http.Dispose();
        _signIn.Dispose();
    }

    private static long Bytes(JsonElement stats, string name) =>
        stats.ValueKind == JsonValueKind.Object && stats.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var bytes) && bytes is >= 0 and < 1L << 50
            ? bytes
            : throw Nonsense("The carrier's statistics are not as described.");

    private async Task<CarrierAnswer> GetAsync(string path, CancellationToken cancellation) => Good(await CallAsync(HttpMethod.Get, path, cancellation));

    private static CarrierAnswer Good(CarrierAnswer answer) => answer.Status switch
    {
        404 => throw new CarrierException(CarrierFaults.Refused, "The carrier has no such SIM."),
        401 or 403 => throw new CarrierException(CarrierFaults.Denied, $"The carrier does not let these credentials do this ({answer.Status})."),
        _ => answer,
    };

    private async Task<CarrierAnswer> CallAsync(HttpMethod method, string path, CancellationToken cancellation)
    {
        var token = await TokenAsync(null, cancellation);
        var answer = await _http.SendAsync(method, path, token.Headers, null, cancellation);
        if (answer.Status != 401)
        {
            return answer;
        }

        // Taken back before its time: once more with a new one.
        token = await TokenAsync(token, cancellation);
        return await _http.SendAsync(method, path, token.Headers, null, cancellation);
    }

    /// <summary>The token in use, or a new one when it is about to run out or is the one that was refused.</summary>
    private async Task<Token> TokenAsync(Token? refused, CancellationToken cancellation)
    {
        if (_token is { } present && present != refused && present.Until > clock.GetUtcNow())
        {
            return present;
        }

        await _signIn.WaitAsync(cancellation);
        try
        {
            if (_token is { } made && made != refused && made.Until > clock.GetUtcNow())
            {
                return made;
            }

            _token = null;
            var body = JsonSerializer.SerializeToUtf8Bytes(new { authKeyId, authKey, tokenTimeoutSeconds = (int)TokenLife.TotalSeconds });
            var answer = await _http.SendAsync(HttpMethod.Post, "/auth", [], body, cancellation);
            if (!answer.IsGood)
            {
                throw new CarrierException(CarrierFaults.Denied, $"The carrier does not accept the auth key ({answer.Status}).");
            }

            if (Text(answer.Body, "apiKey") is not { Length: > 0 } apiKey || Text(answer.Body, "token") is not { Length: > 0 } token
                || !IsHeader(apiKey) || !IsHeader(token))
            {
                throw Nonsense("The carrier signed in without giving a key and a token.");
            }

            return _token = new Token([("X-Soracom-API-Key", apiKey), ("X-Soracom-Token", token)], clock.GetUtcNow() + TokenLife - RenewBefore);
        }
        finally
        {
            _signIn.Release();
        }
    }

    private static bool IsHeader(string value) => value.Length <= 4096 && value.All(c => c is > ' ' and <= '~');

    internal static SimStatus ReadSim(JsonElement sim)
    {
        if (Text(sim, "simId") is not { } simId || !SimNames.IsSimId(simId) || Text(sim, "status") is not { } state || !SimStates.All.Contains(state))
        {
            throw Nonsense("The carrier's SIM has no identifier or no state that is known.");
        }

        var names = new List<string> { simId };
        foreach (var profile in Members(sim, "profiles"))
        {
            names.Add(profile.Name);
            names.AddRange(Members(profile.Value, "subscribers").Select(s => s.Name));
        }

        var session = sim.TryGetProperty("sessionStatus", out var told) && told.ValueKind == JsonValueKind.Object ? told : default;
        bool? online = session.ValueKind == JsonValueKind.Object && session.TryGetProperty("online", out var on) && on.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? on.GetBoolean()
            : null;
        return new SimStatus(simId, state, names, online, online == false ? null : Address(session), Cell(session));
    }

    // The device's own address is a private one as a rule; where the customer has a fixed one towards the Internet, that is what arrives here.
    private static string? Address(JsonElement session) => CarrierText.Address(Text(session, "gatewayPublicIpAddress")) ?? CarrierText.Address(Text(session, "ueIpAddress"));

    private static string? Cell(JsonElement session)
    {
        if (session.ValueKind != JsonValueKind.Object || !session.TryGetProperty("cell", out var cell) || cell.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var parts = CellParts.Select(part => cell.TryGetProperty(part, out var value) && value.TryGetNumber(out var number) ? number : null).OfType<string>();
        var name = string.Join('-', parts);
        return Places.IsName(name) ? name : null;
    }

    private static IEnumerable<JsonProperty> Members(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var members) && members.ValueKind == JsonValueKind.Object
            ? members.EnumerateObject()
            : [];

    private static string? Text(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static CarrierException Nonsense(string message) => new(CarrierFaults.Nonsense, message);

    private sealed record Token(IReadOnlyList<(string, string)> Headers, DateTimeOffset Until);
}
