using System.Globalization;
using Sekisho.Domain.Localization;
using Sekisho.Verification.Carrier;
using Sekisho.Verification.Cloud;
using Sekisho.Verification.Mail;
using Sekisho.Verification.Processes;
using Sekisho.Verification.Rows;
using Sekisho.Verification.Time;

namespace Sekisho.Verification.Runs;

/// <summary>What to verify.</summary>
/// <param name="Only">Rows and causes ("V12", "F1"); empty for all.</param>
/// <param name="Language">"ja" or "en": language of evidence.</param>
public sealed record VerificationOptions(IReadOnlyCollection<string> Only, string Language)
{
    /// <summary>False to try all conditions out only, so that nothing alarms: then what must be found is not found. For tests of the verification.</summary>
    public bool ConditionsActive { get; init; } = true;

    /// <summary>Names that are neither a row nor a cause.</summary>
    public IReadOnlyList<string> Unknown => [.. Only.Where(o => Table.Published.Rows.All(r => r.Id != o) && Table.Published.Causes.All(c => c.Id != o))];
}

/// <summary>
/// Plays every case of the published table against one gateway, each in a field of its own, all at the same virtual time. A case sees what a user sees:
/// answers, detections, history, files, packets, and what arrives at the cloud.
/// </summary>
public static class VerificationRun
{
    // A day on which people work; the first play begins at nine in the field's zone.
    private const int FirstHour = 9;

    /// <summary>Plays.</summary>
    /// <param name="options">What.</param>
    /// <param name="start">Starts a gateway under a clock that stands until the run moves it, with settings ("Section:Key=VALUE"); at most two are asked for, and all run until the end.</param>
    /// <param name="now">When the clocks begin.</param>
    /// <param name="told">Called with each result as it comes, and with how many of how many there are. Any thread.</param>
    /// <param name="cancellation">Breaks off.</param>
    /// <returns>Results in the order of the table.</returns>
    public static async Task<IReadOnlyList<RowResult>> PlayAsync(
        VerificationOptions options, Func<VirtualClock, IReadOnlyList<string>, Task<GatewayUnderTest>> start, DateTimeOffset now, Action<RowResult, int, int> told, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(told);
        var texts = new Texts([typeof(VerificationRun).Assembly]);
        var cells = Cell.Of(Table.Published, options.Only);
        var results = new RowResult[cells.Count];
        var played = cells.Index().Where(c => c.Item.Play is not null).ToList();
        foreach (var (index, cell) in cells.Index().Where(c => c.Item.Play is null))
        {
            results[index] = new RowResult(cell.Id, cell.Field, cell.Case, Results.NotBuilt, texts.Get("verify.not-built", options.Language), []) { Number = cell.Number };
        }

        var done = 0;
        void Tell(int index, RowResult result)
        {
            results[index] = result;
            told(result, Interlocked.Increment(ref done), played.Count);
        }

        await using var cloud = await CloudReceiver.StartAsync("verification-cloud-" + Guid.NewGuid().ToString("N")).ConfigureAwait(false);
        await using var carrier = await SoracomServer.StartAsync().ConfigureAwait(false);
        await using var mail = MailReceiver.Start();
        string[] settings = ["Response:Sim:Carriers:0=" + carrier.Address, .. mail.Settings];
        await Task.WhenAll(played.GroupBy(c => c.Item.Play!.TakesWeeks).Select(async group =>
        {
            var clock = new VirtualClock(now);
            await PlayAsync([.. group], options, await start(clock, settings).ConfigureAwait(false), clock, cloud, carrier, mail, texts, Tell, cancellation).ConfigureAwait(false);
        })).ConfigureAwait(false);
        return results;
    }

    private static async Task PlayAsync(
        IReadOnlyList<(int Index, Cell Cell)> cells, VerificationOptions options, GatewayUnderTest gateway, VirtualClock clock, CloudReceiver cloud, SoracomServer carrier, MailReceiver mail, Texts texts, Action<int, RowResult> tell, CancellationToken cancellation)
    {
        using var admin = await Site.AdministratorAsync(gateway, options.Language).ConfigureAwait(false);
        await gateway.SettleAsync(cancellation).ConfigureAwait(false);

        // Nobody is there yet, so nobody misses the hours in between.
        clock.Advance(FirstMorning(clock.GetUtcNow()) - clock.GetUtcNow());
        var timetable = new Timetable(clock, gateway.SettleAsync);
        var site = new Site(gateway, admin, cloud, carrier, mail, timetable, texts, options.Language, options.ConditionsActive);
        await timetable.RunAsync([.. cells.Select(c => (Func<Task>)(async () => tell(c.Index, await PlayAsync(site, c.Cell).ConfigureAwait(false))))], cancellation).ConfigureAwait(false);
    }

    private static async Task<RowResult> PlayAsync(Site site, Cell cell)
    {
        using var scene = new Scene(site, cell.Field, cell.FieldId);
        IReadOnlyList<Alert> alerts = [];
        try
        {
            await site.OpenFieldAsync(cell.FieldId, cell.Field, cell.Play!.IsForwarded).ConfigureAwait(false);
            await cell.Play.Act(scene).ConfigureAwait(false);
            alerts = await scene.AlertsAsync().ConfigureAwait(false);
            await scene.EndAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidOperationException or HttpRequestException or IOException or TimeoutException or System.Text.Json.JsonException or TaskCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // A case that cannot be played to its end has failed, and the others go on.
            scene.Fail(string.Create(CultureInfo.InvariantCulture, $"{e.GetType().Name}: {e.Message}"));
        }

        return new RowResult(cell.Id, cell.Field, cell.Case, scene.Passed ? Results.Pass : Results.Fail, scene.Evidence, alerts) { Number = cell.Number };
    }

    private static DateTimeOffset FirstMorning(DateTimeOffset now)
    {
        var local = TimeZoneInfo.ConvertTime(now, TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo"));
        var morning = new DateTimeOffset(local.Date.AddDays(1), local.Offset).AddHours(FirstHour);
        while (morning.DayOfWeek is not DayOfWeek.Monday)
        {
            morning = morning.AddDays(1);
        }

        return morning.ToUniversalTime();
    }
}
