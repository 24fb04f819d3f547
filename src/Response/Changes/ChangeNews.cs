using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Changes;

/// <summary>
/// Which actions of operators are important changes of settings. An action that stands in no list is told: a new one is rather told once too often than never. Pure.
/// </summary>
internal static class ChangeNews
{
    /// <summary>The change of recipients.</summary>
    public const string Recipients = "notification.change";

    private const string FieldDeleted = "field.delete";

    /// <summary>Beginnings of actions by subject; each has a text change.subject.NAME.</summary>
    public static readonly IReadOnlyList<(string Start, string Subject)> Told =
    [
        ("account.", "accounts"), ("calendar.", "templates"), ("command-list.", "commands"), ("condition.", "templates"), ("connector.", "cloud"), ("destination.", "cloud"), ("emergency.plan", "emergency"),
        ("exception.", "exceptions"), ("field.", "field"), ("flow.", "cloud"), ("key.", "accounts"), ("limits.", "field"), ("mapping.", "field"), ("network-link.", "sensors"), (Recipients, "recipients"), ("response-script.", "scripts"),
        ("script.", "scripts"), ("sensor.", "sensors"), ("sim-provider.", "sim-provider"), ("soc.", "soc"), ("template.", "templates"), ("ticket-desk.", "webhooks"), ("webhook.", "webhooks"),
    ];

    /// <summary>Work with devices, detections and responses, tries that change nothing, and what has a notice of its own (rules, lock-downs).</summary>
    public static readonly IReadOnlyList<string> NotTold =
    [
        "backtest.cancel", "backtest.start", "binding.accept", "binding.refuse", "command.refuse", "command.release", "command.send", "command.withdraw", "dead-letters.replay", "detection.acknowledge", "detection.acknowledge-by-link", "detection.close", "detection.handle", "detection.reopen", "device.change",
        "device.delete", "device.import", "device.register", "device.reissue", "device.retire", "device.state", "emergency.lock", "emergency.release", "incident.assign", "incident.close", "incident.comment",
        "incident.due", "incident.hand-over", "incident.level", "incident.recover", "incident.reopen", "notification.test", "product-line.create", "response-script.activate", "response-script.dry-run", "response-script.stop", "response.approve", "response.dry-run", "response.preview",
        "response.refuse", "response.retry", "response.rules", "response.rules-import", "response.undo", "script.try", "session.end", "session.set-password", "session.start", "setup", "sim-facts.report", "sim-provider.test", "sim.link",
        "sim.unlink", "soc.receiver.test", "soc.status", "stage.pause", "stage.resume",
    ];

    /// <summary>The subject of an action; null when it is not told.</summary>
    public static string? SubjectOf(string action) =>
        NotTold.Contains(action) ? null : Told.FirstOrDefault(t => action.StartsWith(t.Start, StringComparison.Ordinal)).Subject ?? "other";

    /// <summary>What people are to be told of a record of an operator's action; empty for nothing.</summary>
    public static IEnumerable<NewsItem> Of(PlacedRecord placed)
    {
        var record = placed.Record;
        if (record.Kind != HistoryKinds.Operator || SubjectOf(record.What) is not { } subject)
        {
            yield break;
        }

        using var details = JsonDocument.Parse(record.Details ?? "{}");
        var target = details.RootElement.TryGetProperty("target", out var named) ? named.GetString() ?? "" : "";
        var outcome = details.RootElement.TryGetProperty("outcome", out var said) ? said.GetString() : null;
        if (outcome is not ("asked" or "failed"))
        {
            yield break;
        }

        var line = new NoticeLine(record.At, "change.line", new Dictionary<string, string> { ["actor"] = record.Actor, ["action"] = target.Length == 0 ? record.What : $"{record.What} {target}" })
        {
            Texts = new Dictionary<string, string> { ["subject"] = "change.subject." + subject },
        };
        var item = new NewsItem(placed.Position, NewsStreams.Changes, record.FieldId, record.What, record.What == Recipients ? Levels.Critical : Levels.Important, record.CorrelationId, line)
        {
            TakesBack = outcome == "failed",
        };
        yield return item;

        // Nobody may be left in a field that is gone.
        if (record is { What: FieldDeleted, FieldId: not null })
        {
            yield return item with { FieldId = null, Line = line with { Values = new Dictionary<string, string>(line.Values) { ["action"] = $"{record.What} {record.FieldId}" } } };
        }
    }
}
