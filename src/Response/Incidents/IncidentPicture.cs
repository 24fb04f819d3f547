using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Incidents;

/// <summary>
/// An incident at a glance, as a drawing (SVG) inside the report: a line for each condition from its first to its last finding, a bar for each response while it was in force, and a mark for whatever
/// a person did, over one axis of time. Shapes differ as well as colours, so that it can be read when printed in black. Pure.
/// </summary>
internal static class IncidentPicture
{
    private const int Width = 720;
    private const int Left = 214;
    private const int Right = 34;
    private const int Lane = 20;
    private const int Top = 24;
    private const int MostConditions = 8;
    private const int MostResponses = 10;
    private const int LongestLabel = 34;
    private const int Ticks = 4;

    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    public static void Write(StringBuilder page, IncidentReport report, IncidentWords words)
    {
        var incident = report.Whole.Incident;
        var from = incident.OpenedAt;
        var people = report.Whole.Timeline.Where(l => l.By is not (IncidentMachine.Gateway or "policy")).Select(l => l.At).Distinct().ToList();
        var to = new[] { incident.ClosedAt ?? report.MadeAt, incident.LastAt, from.AddMinutes(1) }.Concat(people).Max();
        var conditions = report.Reasons.Take(MostConditions).ToList();

        // What was not done has no bar to look at: it comes where there is room.
        var responses = report.Responses.OrderBy(r => r.State == LeaseStates.Refused).ThenBy(r => r.OrderedAt).Take(MostResponses).OrderBy(r => r.OrderedAt).ToList();
        var lanes = conditions.Count + responses.Count + (people.Count > 0 ? 1 : 0) + (report.Reasons.Count + report.Responses.Count > conditions.Count + responses.Count ? 1 : 0);
        var height = Top + (lanes * Lane) + 6;
        var y = Top + (Lane / 2);

        page.Append(CultureInfo.InvariantCulture, $"<svg class=\"picture\" viewBox=\"0 0 {Width} {height}\" role=\"img\"><title>").Append(E(words.Get("incident.report.head.picture"))).Append("</title>\n");
        for (var tick = 0; tick <= Ticks; tick++)
        {
            var at = from + ((to - from) * tick / Ticks);
            var anchor = tick == 0 ? "start" : tick == Ticks ? "end" : "middle";
            page.Append(CultureInfo.InvariantCulture, $"<line class=\"tick\" x1=\"{X(at):0.#}\" y1=\"{Top - 6}\" x2=\"{X(at):0.#}\" y2=\"{height - 4}\"/>")
                .Append(CultureInfo.InvariantCulture, $"<text class=\"{anchor}\" x=\"{X(at):0.#}\" y=\"{Top - 10}\">{E(Short(at))}</text>\n");
        }

        foreach (var reason in conditions)
        {
            Label(reason.Name);
            var (first, last) = (X(reason.FirstAt), X(reason.LastAt));
            page.Append(CultureInfo.InvariantCulture, $"<line class=\"span-{E(reason.Level)}\" x1=\"{first:0.#}\" y1=\"{y}\" x2=\"{last:0.#}\" y2=\"{y}\"/><circle class=\"dot-{E(reason.Level)}\" cx=\"{first:0.#}\" cy=\"{y}\" r=\"4\"/>");
            if (reason.Count > 1)
            {
                page.Append(CultureInfo.InvariantCulture, $"<circle class=\"dot-{E(reason.Level)}\" cx=\"{last:0.#}\" cy=\"{y}\" r=\"4\"/><text class=\"start\" x=\"{last + 7:0.#}\" y=\"{y + 4}\">×{IncidentWords.Whole(reason.Count)}</text>");
            }

            Next();
        }

        foreach (var response in responses)
        {
            Label($"{response.ActionName}: {response.Target}");

            // In force until it ended; what never came into force is an empty frame from when it was ordered.
            var began = response.StartedAt ?? response.OrderedAt;
            var ended = response.State is LeaseStates.Done or LeaseStates.WaitingApproval or LeaseStates.Planned or LeaseStates.Due or LeaseStates.Running ? to : response.EndedAt ?? to;
            var shape = response.State == LeaseStates.Done ? "in-force" : response.State is LeaseStates.Undone or LeaseStates.Expired ? "ended" : "not-done";
            page.Append(CultureInfo.InvariantCulture, $"<rect class=\"{shape}\" x=\"{X(began):0.#}\" y=\"{y - 5}\" width=\"{Math.Max(3, X(ended) - X(began)):0.#}\" height=\"10\"/>");
            Next();
        }

        if (people.Count > 0)
        {
            Label(words.Get("incident.report.lane.people"));
            foreach (var at in people)
            {
                page.Append(CultureInfo.InvariantCulture, $"<polygon class=\"person\" points=\"{X(at):0.#},{y - 6} {X(at) + 4:0.#},{y} {X(at):0.#},{y + 6} {X(at) - 4:0.#},{y}\"/>");
            }

            Next();
        }

        if (report.Reasons.Count + report.Responses.Count > conditions.Count + responses.Count)
        {
            Label(words.Get("incident.report.lane.more", ("count", IncidentWords.Whole(report.Reasons.Count + report.Responses.Count - conditions.Count - responses.Count))));
        }

        page.Append("</svg>\n<p class=\"small\">").Append(E(words.Get("incident.report.picture-key"))).Append("</p>\n");

        double X(DateTimeOffset at) => Left + (Math.Clamp((at - from) / (to - from), 0, 1) * (Width - Left - Right));

        // "2026-04-01 09:00:00 +09:00": the day only where the axis spans several.
        string Short(DateTimeOffset at) => words.Time(at) is { Length: > 16 } time ? to - from > TimeSpan.FromHours(24) ? time[5..16] : time[11..19] : words.Time(at);

        void Label(string text) => page.Append(CultureInfo.InvariantCulture, $"<text class=\"start\" x=\"0\" y=\"{y + 4}\">{E(Fitting(text))}</text>");

        void Next()
        {
            page.Append('\n');
            y += Lane;
        }
    }

    /// <summary>As much as fits before the axis: letters of East Asia are twice as wide as others.</summary>
    internal static string Fitting(string text)
    {
        var width = 0;
        for (var i = 0; i < text.Length; i++)
        {
            width += text[i] >= '\u2E80' ? 2 : 1;
            if (width > LongestLabel)
            {
                return text[..(char.IsLowSurrogate(text[i]) ? i - 1 : i)] + "…";
            }
        }

        return text;
    }

    private static string E(string text) => Encoder.Encode(FindingSentence.OneLine(text));
}
