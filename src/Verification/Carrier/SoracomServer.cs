using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Sekisho.Verification.Carrier;

/// <summary>A request as the carrier got it; no headers, no bodies.</summary>
public sealed record CarrierRequest(string Method, string Path, string Query)
{
    /// <inheritdoc/>
    public override string ToString() => Method + " " + Path;
}

/// <summary>What the carrier does instead of answering.</summary>
/// <param name="Status">Status to answer with; 0 to cut the connection after half an answer.</param>
/// <param name="Body">Body to answer with.</param>
/// <param name="RetryAfter">Seconds for Retry-After; null for none.</param>
/// <param name="AfterDoing">True to do what was asked first: the answer alone is lost.</param>
/// <param name="Wait">Waited for before answering.</param>
public sealed record CarrierFault(int Status, string? Body = null, int? RetryAfter = null, bool AfterDoing = false, Func<CancellationToken, Task>? Wait = null);

/// <summary>
/// Stands for SORACOM: a real HTTP server on loopback that speaks the part of the published contract that Sekisho uses (sign-in, SIMs, query with
/// pages, orders, sessions, air statistics), remembers its requests, and can be made slow or faulty. Any thread.
/// </summary>
public sealed class SoracomServer : IAsyncDisposable
{
    private readonly Lock _turn = new(); // guards _sims and what is in them, and _tokens
    private readonly Dictionary<string, CarrierSim> _sims = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<CarrierRequest> _requests = new();
    private WebApplication? _app;

    private SoracomServer(int port) => Port = port;

    /// <summary>Port on 127.0.0.1; stays the same over outages.</summary>
    public int Port { get; private set; }

    /// <summary>Base address to set in the field.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/v1");

    /// <summary>Auth key identifier that is accepted.</summary>
    public string AuthKeyId { get; } = "keyId-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Auth key that is accepted.</summary>
    public string AuthKey { get; set; } = "secret-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    /// <summary>Decides on a fault for a request; null for none.</summary>
    public Func<CarrierRequest, CarrierFault?> Fault { get; set; } = _ => null;

    /// <summary>How often a SIM is still told in its old state after an order.</summary>
    public int ShowsAfter { get; set; }

    /// <summary>SIMs of one page of a list.</summary>
    public int PageSize { get; set; } = 100;

    /// <summary>Requests so far, in order.</summary>
    public IReadOnlyList<CarrierRequest> Requests => [.. _requests];

    /// <summary>Orders so far ("POST /v1/sims/ID/suspend"), in order.</summary>
    public IReadOnlyList<string> Orders => [.. _requests.Where(r => r.Method == "POST" && !r.Path.EndsWith("/auth", StringComparison.Ordinal)).Select(r => r.ToString())];

    /// <summary>Sign-ins so far.</summary>
    public int SignIns => _requests.Count(r => r.Path.EndsWith("/auth", StringComparison.Ordinal));

    /// <summary>Starts a carrier without SIMs.</summary>
    /// <param name="port">Port, or 0 for a free one.</param>
    public static async Task<SoracomServer> StartAsync(int port = 0)
    {
        var server = new SoracomServer(port);
        await server.GoUpAsync().ConfigureAwait(false);
        return server;
    }

    /// <summary>Adds a SIM, or replaces it.</summary>
    public void Add(CarrierSim sim)
    {
        ArgumentNullException.ThrowIfNull(sim);
        lock (_turn)
        {
            _sims[sim.SimId] = sim;
        }
    }

    /// <summary>A SIM's state as it really is, whatever is told.</summary>
    public string StateOf(string simId)
    {
        lock (_turn)
        {
            return _sims[simId].State;
        }
    }

    /// <summary>Somebody changes a SIM at the carrier's console.</summary>
    public void Change(string simId, Func<CarrierSim, CarrierSim> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_turn)
        {
            _sims[simId] = change(_sims[simId]);
        }
    }

    /// <summary>Adds traffic of the five minutes that begin at a time.</summary>
    public void AddTraffic(string simId, DateTimeOffset at, long up, long down) => Change(simId, s => s with { Traffic = [.. s.Traffic, (at.ToUnixTimeSeconds(), up, down)] });

    /// <summary>Takes all tokens back.</summary>
    public void ExpireTokens()
    {
        lock (_turn)
        {
            _tokens.Clear();
        }
    }

    /// <summary>Stops at once, whatever is under way; SIMs and requests stay.</summary>
    public async Task GoDownAsync()
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
            await app.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Listens (again).</summary>
    public async Task GoUpAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, Port));
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        app.Use(FaultAsync);
        app.UseRouting();
        var v1 = app.MapGroup("/v1");
        v1.MapPost("/auth", SignInAsync);
        v1.MapGet("/sims", (RequestDelegate)(c => ListAsync(c, _ => true)));
        v1.MapGet("/query/sims", (RequestDelegate)(c => ListAsync(c, Query(c.Request.Query))));
        v1.MapGet("/sims/{simId}", (RequestDelegate)(c => SimAsync(c, (s, _) => Told(s))));
        foreach (var (verb, state) in new[] { ("suspend", "suspended"), ("activate", "active"), ("deactivate", "inactive"), ("set_to_standby", "standby"), ("terminate", "terminated") })
        {
            v1.MapPost("/sims/{simId}/" + verb, (RequestDelegate)(c => SimAsync(c, (s, _) => Order(s, state))));
        }

        v1.MapGet("/sims/{simId}/events/sessions", (RequestDelegate)(c => SimAsync(c, (s, _) => s.Address is null ? Array.Empty<object>() : [new { @event = "Created", ueIpAddress = s.Address, simId = s.SimId, imsi = s.Imsi }])));
        v1.MapGet("/stats/air/sims/{simId}", (RequestDelegate)(c => SimAsync(c, Stats)));
        app.UseEndpoints(_ => { });
        await app.StartAsync().ConfigureAwait(false);
        Port = new Uri(app.Urls.First()).Port;
        _app = app;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await GoDownAsync().ConfigureAwait(false);

    private async Task FaultAsync(HttpContext context, RequestDelegate next)
    {
        var request = new CarrierRequest(context.Request.Method, context.Request.Path, context.Request.QueryString.ToString());
        _requests.Enqueue(request);
        if (Fault(request) is not { } fault)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        if (fault.AfterDoing)
        {
            var body = context.Response.Body;
            context.Response.Body = Stream.Null;
            await next(context).ConfigureAwait(false);
            context.Response.Body = body;
        }

        if (fault.Wait is { } wait)
        {
            await wait(context.RequestAborted).ConfigureAwait(false);
        }

        if (fault.Status == 0)
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("{\"simId\":\"89", context.RequestAborted).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            context.Abort();
            return;
        }

        context.Response.Clear();
        context.Response.StatusCode = fault.Status;
        context.Response.ContentType = "application/json";
        if (fault.RetryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await context.Response.WriteAsync(fault.Body ?? "{\"code\":\"AUM0000\",\"message\":\"fault\"}", context.RequestAborted).ConfigureAwait(false);
    }

    private async Task SignInAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body).ConfigureAwait(false);
        var root = body.RootElement;
        if (root.GetProperty("authKeyId").GetString() != AuthKeyId || root.GetProperty("authKey").GetString() != AuthKey)
        {
            context.Response.StatusCode = 401;
            return;
        }

        var (apiKey, token) = ("api-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        lock (_turn)
        {
            _tokens[token] = apiKey;
        }

        await AnswerAsync(context, new { apiKey, token, operatorId = "OP0000000000", userName = "sekisho" }).ConfigureAwait(false);
    }

    private bool IsSignedIn(HttpContext context)
    {
        lock (_turn)
        {
            var headers = context.Request.Headers;
            return _tokens.TryGetValue(headers["X-Soracom-Token"].ToString(), out var apiKey) && headers["X-Soracom-API-Key"] == apiKey;
        }
    }

    private async Task ListAsync(HttpContext context, Func<CarrierSim, bool> wanted)
    {
        if (!IsSignedIn(context))
        {
            context.Response.StatusCode = 401;
            return;
        }

        var query = context.Request.Query;
        var limit = Math.Min(PageSize, int.TryParse(query["limit"], CultureInfo.InvariantCulture, out var asked) ? asked : PageSize);
        List<CarrierSim> found;
        object[] told;
        lock (_turn)
        {
            found = [.. _sims.Values.Where(s => wanted(s) && string.CompareOrdinal(s.SimId, query["last_evaluated_key"]) > 0).OrderBy(s => s.SimId, StringComparer.Ordinal).Take(limit + 1)];
            told = [.. found.Take(limit).Select(Told)];
        }

        if (found.Count > limit)
        {
            found.RemoveAt(limit);
            if (!context.Request.Path.Value!.Contains("/query/", StringComparison.Ordinal))
            {
                context.Response.Headers.Link = $"</v1{context.Request.Path}?last_evaluated_key={found[^1].SimId}&limit={limit}>; rel=next";
            }
        }

        await AnswerAsync(context, told).ConfigureAwait(false);
    }

    // The published query finds what holds the value, and says of pages only that the next begins after the last SIM.
    private static Func<CarrierSim, bool> Query(IQueryCollection query) => sim =>
        (query["iccid"].Count == 0 || sim.Iccid.Contains(query["iccid"]!, StringComparison.Ordinal)) && (query["imsi"].Count == 0 || sim.Imsi.Contains(query["imsi"]!, StringComparison.Ordinal));

    private async Task SimAsync(HttpContext context, Func<CarrierSim, IQueryCollection, object> answer)
    {
        if (!IsSignedIn(context))
        {
            context.Response.StatusCode = 401;
            return;
        }

        object? told;
        lock (_turn)
        {
            told = _sims.TryGetValue((string)context.Request.RouteValues["simId"]!, out var sim) ? answer(sim, context.Request.Query) : null;
        }

        if (told is null)
        {
            context.Response.StatusCode = 404;
            return;
        }

        await AnswerAsync(context, told).ConfigureAwait(false);
    }

    private object Order(CarrierSim sim, string state)
    {
        var shown = ShowsAfter == 0 ? null : sim.ShowsIn > 0 ? sim.ShownState : sim.State;
        _sims[sim.SimId] = sim with { State = state, ShownState = shown, ShowsIn = ShowsAfter, Online = state == "active" && sim.Online };
        return Told(_sims[sim.SimId]);
    }

    private object Told(CarrierSim sim)
    {
        var state = sim.ShowsIn > 0 ? sim.ShownState ?? sim.State : sim.State;
        if (sim.ShowsIn > 0)
        {
            _sims[sim.SimId] = sim with { ShowsIn = sim.ShowsIn - 1 };
        }

        return new
        {
            simId = sim.SimId,
            type = "uicc",
            status = state,
            operatorId = "OP0000000000",
            speedClass = "s1.standard",
            profiles = new Dictionary<string, object> { [sim.Iccid] = new { iccid = sim.Iccid, subscribers = new Dictionary<string, object> { [sim.Imsi] = new { imsi = sim.Imsi } } } },
            sessionStatus = new { online = sim.Online, imsi = sim.Imsi, ueIpAddress = sim.Online ? "10.160.0.1" : null, gatewayPublicIpAddress = sim.Online ? sim.Address : null, cell = sim.Online ? new { radioType = "lte", mcc = 440, mnc = 10, tac = 4321, eci = 123456789 } : null },
        };
    }

    private static object Stats(CarrierSim sim, IQueryCollection query)
    {
        var (from, to) = (long.Parse(query["from"]!, CultureInfo.InvariantCulture), long.Parse(query["to"]!, CultureInfo.InvariantCulture));
        return sim.Traffic.Where(t => t.At >= from && t.At <= to).OrderBy(t => t.At).Select(t => new
        {
            date = DateTimeOffset.FromUnixTimeSeconds(t.At).ToString("yyyyMMddHHmm", CultureInfo.InvariantCulture),
            unixtime = t.At,
            dataTrafficStatsMap = new Dictionary<string, object>
            {
                ["s1.standard"] = new { uploadByteSizeTotal = t.Up, downloadByteSizeTotal = t.Down, uploadPacketSizeTotal = t.Up / 100, downloadPacketSizeTotal = t.Down / 100 },
            },
        }).ToArray();
    }

    private static Task AnswerAsync(HttpContext context, object answer)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, answer);
    }
}

/// <summary>A SIM at the carrier.</summary>
public sealed record CarrierSim(string SimId, string Iccid, string Imsi)
{
    /// <summary>State as it is.</summary>
    public string State { get; init; } = "active";

    /// <summary>State that is still told; null for the one it is in.</summary>
    public string? ShownState { get; init; }

    /// <summary>How often <see cref="ShownState"/> is told yet.</summary>
    public int ShowsIn { get; init; }

    /// <summary>It is attached.</summary>
    public bool Online { get; init; } = true;

    /// <summary>Its fixed address towards the Internet; null for none.</summary>
    public string? Address { get; init; }

    /// <summary>Traffic: begin of five minutes (UNIX seconds), bytes up, bytes down.</summary>
    public IReadOnlyList<(long At, long Up, long Down)> Traffic { get; init; } = [];
}
