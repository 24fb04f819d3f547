using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Incidents;

/// <summary>
/// The report as one page of HTML that prints well on A4 (and so to PDF). It needs nothing from elsewhere, and every value is escaped: names and notes come from outside. Pure.
/// </summary>
internal static class IncidentPaper
{
    private const string Style =
        """
        @page { size: A4; margin: 18mm 16mm; }
        body { font: 10pt/1.5 "Hiragino Sans", "Noto Sans CJK JP", "Yu Gothic", "Segoe UI", sans-serif; color: #111; max-width: 180mm; margin: 0 auto; padding: 8mm; }
        h1 { font-size: 16pt; margin: 0 0 2mm; } h2 { font-size: 12pt; margin: 7mm 0 2mm; border-bottom: 1px solid #888; break-after: avoid; } h3 { font-size: 10pt; margin: 4mm 0 1mm; break-after: avoid; }
        table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; } tr { break-inside: avoid; }
        th, td { border: 1px solid #bbb; padding: 1mm 2mm; text-align: left; vertical-align: top; overflow-wrap: anywhere; min-width: 17mm; }
        th { background: #eee; font-weight: 600; } .when { white-space: nowrap; } .note { white-space: pre-wrap; border-left: 2px solid #888; padding-left: 2mm; margin: 1mm 0; }
        .level-critical { color: #a00; font-weight: 700; } .level-important { color: #a50; font-weight: 700; } .small { color: #555; font-size: 9pt; }
        .picture { width: 100%; height: auto; break-inside: avoid; font-size: 11px; } .picture text { fill: #111; } .picture .middle { text-anchor: middle; } .picture .end { text-anchor: end; }
        .tick { stroke: #ccc; } .span-critical, .span-important, .span-warning, .span-information { stroke-width: 3; stroke: #555; } .dot-warning, .dot-information { fill: #555; }
        .span-critical { stroke: #a00; } .dot-critical { fill: #a00; } .span-important { stroke: #a50; } .dot-important { fill: #a50; }
        .in-force { fill: #246; stroke: #246; } .ended { fill: #bbb; stroke: #777; } .not-done { fill: none; stroke: #777; stroke-dasharray: 3 2; } .person { fill: #063; }
        @media print { body { padding: 0; max-width: none; } }
        """;

    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>What the page may do: show itself in its own style, nothing else.</summary>
    public static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    public static string Write(IncidentReport report, IncidentWords words)
    {
        var incident = report.Whole.Incident;
        var page = new StringBuilder(16_384);
        page.Append("<!DOCTYPE html>\n<html lang=\"").Append(report.Language).Append("\">\n<head>\n<meta charset=\"utf-8\">\n<title>").Append(E(incident.Title)).Append("</title>\n<style>").Append(Style)
            .Append("</style>\n</head>\n<body>\n");
        page.Append("<h1>").Append(E(incident.Title)).Append("</h1>\n<p class=\"small\">")
            .Append(E(words.Get("incident.report.made", ("id", incident.Id), ("time", words.Time(report.MadeAt))))).Append("</p>\n");

        Head("summary");
        page.Append("<table><tbody>");
        Pair("field", report.Field ?? words.Get("incident.report.gateway"));
        Pair("contact", report.ContactPoint is { Length: > 0 } contact ? contact : "—");
        page.Append("<tr><th>").Append(E(words.Get("incident.report.level"))).Append("</th><td class=\"level-").Append(E(incident.Level)).Append("\">").Append(E(words.Level(incident.Level))).Append("</td></tr>");
        Pair("state", words.Name("incident.state", incident.State) + (incident.ClosedAs is { } closedAs ? $" ({words.Name("incident.as", closedAs)})" : ""));
        Pair("assignee", incident.Assignee ?? "—");
        Pair("opened", words.Time(incident.OpenedAt));
        Pair("last", words.Time(incident.LastAt));
        Pair("due", words.Time(incident.DueAt));
        Pair("closed", incident.ClosedAt is { } closed ? words.Time(closed) : "—");
        Pair("findings", words.Get("incident.report.findings-value", ("findings", IncidentWords.Whole(incident.Findings)), ("retracted", IncidentWords.Whole(incident.Retracted)), ("devices", IncidentWords.Whole(incident.Devices))));
        page.Append("</tbody></table>\n");
        Quote(incident.HandOver);
        Quote(incident.Closed);

        Head("reasons");
        foreach (var reason in report.Reasons)
        {
            page.Append("<p><strong>").Append(E(reason.Name)).Append("</strong> <span class=\"level-").Append(E(reason.Level)).Append("\">").Append(E(words.Level(reason.Level))).Append("</span><br>")
                .Append(E(words.Get("incident.report.counted", ("count", IncidentWords.Whole(reason.Count)), ("first", words.Time(reason.FirstAt)), ("last", words.Time(reason.LastAt))))).Append("</p>\n<ul>");
            foreach (var sentence in reason.Sentences.DefaultIfEmpty(words.Get("incident.report.no-evidence")))
            {
                page.Append("<li>").Append(E(sentence)).Append("</li>");
            }

            page.Append("</ul>\n");
        }

        Head("picture");
        IncidentPicture.Write(page, report, words);

        Head("timeline");
        Rows(
            ["when", "who", "what"],
            report.Whole.Timeline.Select(Line));
        if (report.Whole.IsTimelineCut)
        {
            page.Append("<p class=\"small\">").Append(E(words.Get("incident.report.cut"))).Append("</p>\n");
        }

        Head("responses");
        Rows(
            ["action", "target", "state", "agreed"],
            report.Responses.Select(r => (string[])
            [
                $"{E(r.ActionName)}<br><span class=\"small when\">{E(r.Id)}</span>", E(r.Target), E(r.StateName) + (r.Why is null ? "" : $"<br>{E(r.Why)}"),
                r.Approvals.Count == 0 ? E(words.Get("incident.report.nobody-asked", ("by", words.Actor(r.OrderedBy)))) : string.Join("<br>", r.Approvals.Select(a => E($"{a.By} ({words.Time(a.At)}): {a.Reason}"))),
            ]));

        // Of those that people agreed to or took back, or that end by themselves; the lines above say all of the others.
        foreach (var response in report.Responses.Where(r => r.History.Any(l => l.Kind is "response-approved" or "response-undo-asked" or "response-reminded" or "response-in-force-until")))
        {
            page.Append("<h3>").Append(E($"{words.Get("incident.report.history")}: {response.ActionName}, {response.Target}")).Append(" <span class=\"small\">").Append(E(response.Id)).Append("</span></h3>\n");
            Rows(["when", "who", "what"], response.History.Select(Line));
        }

        Head("recovery");
        Rows(["step", "state", "who", "note"], incident.Recovery.Select(s => (string[])
        [
            E(s.Name), E(words.Get("incident.step-state." + s.State)), E(s.By ?? "—") + (s.At is { } at ? $"<br><span class=\"when\">{E(words.Time(at))}</span>" : ""), s.Note is null ? "—" : Block(s.Note),
        ]));

        Head("open");
        page.Append("<ul>");
        foreach (var line in report.StillOpen.DefaultIfEmpty(words.Get("incident.report.nothing-open")))
        {
            page.Append("<li>").Append(E(line)).Append("</li>");
        }

        return page.Append("</ul>\n</body>\n</html>\n").ToString();

        void Head(string name) => page.Append("<h2>").Append(E(words.Get("incident.report.head." + name))).Append("</h2>\n");
        void Pair(string name, string value) => page.Append("<tr><th>").Append(E(words.Get("incident.report." + name))).Append("</th><td>").Append(E(value)).Append("</td></tr>");
        void Quote(IncidentNote? note)
        {
            if (note is { Text.Length: > 0 })
            {
                page.Append("<div class=\"note\">").Append(Block(note.Text)).Append("</div>\n<p class=\"small\">").Append(E($"{note.By}, {words.Time(note.At)}")).Append("</p>\n");
            }
        }

        string[] Line(TimelineLine l) => [$"<span class=\"when\">{E(words.Time(l.At))}</span>", E(words.Actor(l.By)), E(l.Text) + (l.Note is null ? "" : $"<div class=\"note\">{Block(l.Note)}</div>")];

        void Rows(string[] heads, IEnumerable<string[]> rows)
        {
            page.Append("<table><thead><tr>");
            foreach (var head in heads)
            {
                page.Append("<th>").Append(E(words.Get("incident.report.column." + head))).Append("</th>");
            }

            page.Append("</tr></thead><tbody>\n");
            foreach (var row in rows)
            {
                page.Append("<tr>").AppendJoin("", row.Select(c => $"<td>{c}</td>")).Append("</tr>\n");
            }

            page.Append("</tbody></table>\n");
        }
    }

    private static string E(string text) => Encoder.Encode(FindingSentence.OneLine(text));

    /// <summary>Text of several lines; each is made harmless on its own.</summary>
    private static string Block(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(E));
}
