using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Facts;

/// <summary>What a carrier knows of one SIM, as it is posted. Either the device identifier or the unique ID is given.</summary>
internal sealed record SimFactBody(
    string? DeviceId,
    string? UniqueId,
    string? Provider,
    DateTimeOffset? From,
    DateTimeOffset? To,
    long? UplinkBytes,
    long? DownlinkBytes,
    string? Address,
    string? Session,
    string? Cell,
    string? Site);

/// <summary>How many facts were stored.</summary>
internal sealed record SimFactsTaken(int Accepted);

/// <summary>Takes facts of SIMs over HTTPS, where no carrier adapter brings them.</summary>
internal static partial class SimFactRoutes
{
    /// <summary>Most facts of one request.</summary>
    public const int Most = 1000;

    private static readonly TimeSpan LongestPeriod = TimeSpan.FromDays(31);
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    public static void Map(RouteGroups routes) =>
        routes.Field.MapPost("/sim-facts", PostAsync)
            .Responds("sim-facts", "sim-facts.report").WithName("ReportSimFacts").WithTags("Distribution")
            .WithSummary("Takes what a carrier knows of SIMs: traffic over a period, address, session, place; all of them are durable when it answers 202.")
            .Produces<SimFactsTaken>(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<IResult> PostAsync(
        string fieldId, IReadOnlyList<SimFactBody?> facts, HttpContext context, ISimFacts sims, IUniqueIdLookup ids, IDeviceDirectory devices, Texts texts, TimeProvider clock, CancellationToken cancellation)
    {
        var faults = new List<Fault>();
        if (facts.Count is 0 or > Most)
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("", texts.Get("distribution.fault.facts-count", RequestLanguage.Of(context)))]);
        }

        var now = clock.GetUtcNow();
        var events = new List<SimFactEvent>();
        for (var i = 0; i < facts.Count; i++)
        {
            var reader = new Reader(fieldId, string.Create(CultureInfo.InvariantCulture, $"/{i}"), faults, key => texts.Get("distribution.fault." + key, RequestLanguage.Of(context)));
            if (reader.Read(facts[i], ids, devices, now, Correlation.Of(context)) is { } fact)
            {
                events.Add(fact);
            }
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        try
        {
            await sims.ReportAsync(events, cancellation).ConfigureAwait(false);
        }
        catch (JournalUnavailableException e)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(e.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return Problem.Of(CommonProblems.Unavailable);
        }

        return TypedResults.Json(new SimFactsTaken(events.Count), statusCode: StatusCodes.Status202Accepted);
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,39}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Provider();

    /// <summary>Turns one body into an event, or says all that is wrong with it.</summary>
    private sealed class Reader(string fieldId, string place, List<Fault> faults, Func<string, string> text)
    {
        public SimFactEvent? Read(SimFactBody? body, IUniqueIdLookup ids, IDeviceDirectory devices, DateTimeOffset now, string correlation)
        {
            if (body is null)
            {
                faults.Add(new Fault(place, text("fact-missing")));
                return null;
            }

            var before = faults.Count;
            var device = Device(body, ids, devices);
            Check(device is not null, "/deviceId", "fact-device");
            Check(body.Provider is { } provider && Provider().IsMatch(provider), "/provider", "fact-provider");
            Check(body.From is not null, "/from", "fact-period");
            Check(body.To is { } to && to >= body.From && to - body.From <= LongestPeriod && to <= now + Ahead, "/to", "fact-period");
            Check(body.UplinkBytes is null or >= 0, "/uplinkBytes", "fact-bytes");
            Check(body.DownlinkBytes is null or >= 0, "/downlinkBytes", "fact-bytes");
            Check(body.Session is null || SimSessions.All.Contains(body.Session), "/session", "fact-session");
            Check(body.Cell is null || Places.IsName(body.Cell), "/cell", "fact-place");
            Check(body.Site is null || Places.IsName(body.Site), "/site", "fact-place");
            var address = body.Address is { } told && IPAddress.TryParse(told, out var parsed) ? (parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed).ToString() : null;
            Check(body.Address is null || address is not null, "/address", "fact-address");
            return faults.Count > before ? null : new SimFactEvent
            {
                ArrivedAt = now,
                CorrelationId = correlation,
                FieldId = fieldId,
                DeviceId = device!,
                Provider = body.Provider!,
                From = Whole(body.From!.Value),
                To = Whole(body.To!.Value),
                UplinkBytes = body.UplinkBytes,
                DownlinkBytes = body.DownlinkBytes,
                Address = address,
                Session = body.Session ?? SimSessions.Unknown,
                Cell = body.Cell,
                Site = body.Site,
            };
        }

        private string? Device(SimFactBody body, IUniqueIdLookup ids, IDeviceDirectory devices) => (body.DeviceId, body.UniqueId) switch
        {
            ({ } id, null) => devices.Device(id)?.FieldId == fieldId ? id : null,
            (null, { Length: > 0 and <= 128 } unique) => ids.Find(fieldId, unique),
            _ => null,
        };

        private void Check(bool isRight, string part, string key)
        {
            if (!isRight)
            {
                faults.Add(new Fault(place + part, text(key)));
            }
        }

        // The journal keeps whole milliseconds.
        private static DateTimeOffset Whole(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
    }
}
