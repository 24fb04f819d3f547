using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Response.Incidents;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Notification.Webhooks;
using Sekisho.Response.Orders;
using Sekisho.Storage;

namespace Sekisho.Response.Changes;

/// <summary>What the teller needs.</summary>
internal sealed record NewsPorts(IHistoryFeed Feed, NewsStore Store, IncidentStore Incidents, Notices Notices, NotificationStore Notifications, FormerRecipients Former, HookStore Hooks, LinkSettings Links);

/// <summary>
/// Tells administrators of important changes of settings and of incidents. It reads the history, where each of these stands before or with what it tells of, gathers what belongs to one field
/// for a short while, and orders one mail together with the mark how far it told: killed at any moment, nothing is left out and nothing is told twice. Any node may run it; the mark decides.
/// One round at a time.
/// </summary>
internal sealed partial class NewsTeller(NewsPorts ports, Databases databases, QueueSignal queue, NewsSettings settings, TimeProvider clock, ILogger<NewsTeller> log) : BackgroundService
{
    /// <summary>Lines of one mail, at most; what is more is counted.</summary>
    public const int MostLines = 50;

    private const int Stretch = 500;

    // What is gathered for one field in memory, at most; beyond it the mail goes out at once.
    private const int MostGathered = 2_000;

    // How far reading may be ahead of what is remembered of it.
    private const int Unsaved = 5_000;

    private static readonly HistoryReach Reach = new(Gateway: true, [], [HistoryKinds.Operator, HistoryKinds.Response]) { EveryField = true };
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(10);

    // A change of recipients is recorded before it is made, by the same clock.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(string Stream, string Field), List<NewsItem>> _gathered = [];
    private long? _read;
    private long _saved;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await BeginAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Marks, before anything can be changed, from where on is told.</summary>
    public async Task BeginAsync(CancellationToken cancellation) => await ports.Store.BeginAsync(await ports.Feed.EndAsync(cancellation), clock.GetUtcNow());

    /// <summary>Reads what is new and tells what is due.</summary>
    public async Task RoundAsync(CancellationToken cancellation)
    {
        var marks = await ports.Store.MarksAsync(cancellation);
        if (_read is null)
        {
            _gathered.Clear();
            _read = _saved = marks[(NewsStreams.Read, "")].Position;
        }

        HistoryStretch stretch;
        do
        {
            stretch = await ports.Feed.ReadAsync(Reach, _read.Value, Stretch, cancellation);
            foreach (var record in stretch.Records)
            {
                Gather(record, marks);
            }

            _read = stretch.Through;
            if (_gathered.Values.Any(l => l.Count >= MostGathered))
            {
                await TellDueAsync(marks, cancellation);
                marks = await ports.Store.MarksAsync(cancellation);
            }
        }
        while (!stretch.AtEnd && _read is not null);

        // Only at the end is known what was taken back.
        await TellDueAsync(marks, cancellation);
        await TellLateAsync(marks, cancellation);
        await SaveAsync(cancellation);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RoundAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Nothing is marked as told that was not ordered: the next round reads it again.
                _read = null;
                Failed(e);
            }

            await Task.Delay(Poll, clock, stoppingToken).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private void Gather(PlacedRecord record, IReadOnlyDictionary<(string, string), NewsMark> marks)
    {
        IEnumerable<NewsItem> items = record.Record.Kind == HistoryKinds.Operator ? ChangeNews.Of(record) : IncidentNews.Of(record) is { } news ? [news] : [];
        foreach (var item in items)
        {
            var key = (item.Stream, item.FieldId ?? "");
            if (marks.TryGetValue(key, out var told) && item.Position <= told.Position)
            {
                continue;
            }

            if (!_gathered.TryGetValue(key, out var list))
            {
                _gathered.Add(key, list = []);
            }

            if (!item.TakesBack)
            {
                list.Add(item);
            }
            else if (list.FindLastIndex(i => i.CorrelationId == item.CorrelationId && i.What == item.What) is >= 0 and var at)
            {
                list.RemoveAt(at);
            }
        }
    }

    private async Task TellDueAsync(IReadOnlyDictionary<(string, string), NewsMark> marks, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        foreach (var (key, items) in _gathered.ToList())
        {
            // Another node may have told some of it meanwhile.
            var mark = marks.GetValueOrDefault(key);
            items.RemoveAll(i => i.Position <= mark?.Position);
            if (items.Count == 0)
            {
                _gathered.Remove(key);
                continue;
            }

            var isRipe = IsPast(items.Min(i => i.Line.At), settings.Gather, now) && (key.Stream != NewsStreams.Incidents || mark is null || IsPast(mark.At, settings.IncidentPause, now));
            if (isRipe || items.Count >= MostGathered)
            {
                _gathered.Remove(key);
                await TellAsync(key.Stream, key.Field, mark, items.Max(i => i.Position), items, cancellation);
            }
        }
    }

    // A clock that was set back must not hold news until it is there again.
    private static bool IsPast(DateTimeOffset from, TimeSpan wait, DateTimeOffset now) => now < from || now - from >= wait;

    /// <summary>Incidents whose time has passed stand nowhere in the history; those of some minutes are told together.</summary>
    private async Task TellLateAsync(IReadOnlyDictionary<(string, string), NewsMark> marks, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var mark = marks[(NewsStreams.Overdue, "")];
        var from = DateTimeOffset.FromUnixTimeMilliseconds(mark.Position);
        if (await ports.Store.LateAsync(from, now, cancellation) is not { Count: > 0 } late || now - late[0].DueAt < settings.Gather || !IsPast(mark.At, settings.IncidentPause, now))
        {
            return;
        }

        var groups = new List<(string Field, IReadOnlyList<NewsItem> Items, IReadOnlyList<string> People)>();
        foreach (var group in late.Select(IncidentNews.Of).GroupBy(i => i.FieldId ?? "", StringComparer.Ordinal))
        {
            groups.Add((group.Key, [.. group], await PeopleAsync(group, cancellation)));
        }

        await databases.State.WriteAsync(
            t =>
            {
                if (NewsStore.Advance(NewsStreams.Overdue, "", mark, late[^1].DueAt.ToUnixTimeMilliseconds(), now, t))
                {
                    groups.ForEach(g => Tell(NewsStreams.Overdue, g.Field, g.Items, g.People, t));
                }

                return Task.FromResult(true);
            },
            cancellation);
        queue.Wake();
    }

    private async Task TellAsync(string stream, string field, NewsMark? mark, long through, IReadOnlyList<NewsItem> items, CancellationToken cancellation)
    {
        var people = await PeopleAsync(items, cancellation);
        var isOurs = await databases.State.WriteAsync(
            t =>
            {
                var advanced = NewsStore.Advance(stream, field, mark, through, clock.GetUtcNow(), t);
                if (advanced)
                {
                    Tell(stream, field, items, people, t);
                }

                return Task.FromResult(advanced);
            },
            cancellation);
        if (isOurs)
        {
            queue.Wake();
        }
        else
        {
            // Another node told some of it: what is left is read again.
            _read = null;
        }
    }

    private void Tell(string stream, string field, IReadOnlyList<NewsItem> items, IReadOnlyList<string> people, DbTransaction transaction)
    {
        var fieldId = field.Length == 0 ? null : field;
        var recipients = items.FirstOrDefault(i => i.What == ChangeNews.Recipients);
        IReadOnlyList<string> also = recipients is null ? people : [.. people, .. ports.Former.Since(fieldId, recipients.Line.At - ClockSlack, transaction)];
        var present = ports.Notifications.Find(fieldId, transaction);
        if (also.Count == 0 && present?.Webhook is null && present?.Recipients.Any(r => r.Role == RecipientRoles.Administrator) != true && ports.Hooks.List(fieldId, transaction).Count == 0)
        {
            NobodyToTell(items.Count, stream, field);
            return;
        }

        var notice = Notice(stream, fieldId, items, recipients is not null) with { AlsoTo = also };
        ports.Notices.Tell(
            fieldId, notice, $"{stream} {items[0].Position} {items[0].IncidentId} {items[0].Line.At.ToUnixTimeMilliseconds()}", items.MaxBy(i => Levels.Rank(i.Level))!.Level, null,
            items.Select(i => i.CorrelationId).FirstOrDefault(c => c.Length > 0) ?? Correlation.New(), transaction);
    }

    private LeaseNotice Notice(string stream, string? fieldId, IReadOnlyList<NewsItem> items, bool changesRecipients)
    {
        var lines = items.OrderBy(i => i.Line.At).Take(MostLines).Select(i => i.Line).ToList();
        if (items.Count > MostLines)
        {
            lines.Add(new NoticeLine(items.Max(i => i.Line.At), "change.more", new Dictionary<string, string> { ["count"] = Whole(items.Count - MostLines) }));
        }

        var highest = items.MaxBy(i => Levels.Rank(i.Level))!;
        var isChange = stream == NewsStreams.Changes;
        var name = isChange ? changesRecipients ? "recipients-changed" : "settings-changed" : items.Count == 1 ? "incident" : "incidents";
        return new LeaseNotice(name, new Dictionary<string, string>
        {
            ["count"] = Whole(items.Count),
            ["incident"] = highest.IncidentId ?? "",
            ["link"] = ports.Links.Of(fieldId, isChange ? "audit" : items.Count == 1 ? "incidents/" + highest.IncidentId : "incidents"),
        })
        {
            Texts = isChange ? new Dictionary<string, string>() : new Dictionary<string, string> { ["level"] = "response.level." + highest.Level, ["what"] = "incident.news." + highest.What },
            Lines = lines,
        };
    }

    /// <summary>Addresses of those who work on the incidents, where they are known: an account whose name is an address.</summary>
    private async Task<IReadOnlyList<string>> PeopleAsync(IEnumerable<NewsItem> items, CancellationToken cancellation)
    {
        var people = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var item in items.Where(i => i.IncidentId is not null).Take(MostLines))
        {
            people.Add(item.Person ?? (await ports.Incidents.FindAsync(item.FieldId, item.IncidentId!, cancellation))?.Details.Assignee ?? "");
        }

        return [.. people.Where(NotificationRequest.IsAddress)];
    }

    private async Task SaveAsync(CancellationToken cancellation)
    {
        // Behind what is still gathered; what was told of it is marked by field.
        if (_read is not { } read)
        {
            return;
        }

        var settled = Math.Min(read, _gathered.Values.SelectMany(l => l).Select(i => i.Position - 1).DefaultIfEmpty(long.MaxValue).Min());
        if (settled - _saved >= Unsaved)
        {
            await ports.Store.SaveReadAsync(settled, clock.GetUtcNow(), cancellation);
            _saved = settled;
        }
    }

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(4070, LogLevel.Error, "People could not be told of changes and incidents; it is tried again")]
    private partial void Failed(Exception fault);

    [LoggerMessage(4071, LogLevel.Information, "{Count} news ({Stream}) of field '{Field}' are told to nobody: it has neither an administrator's address nor a webhook")]
    private partial void NobodyToTell(int count, string stream, string field);
}
