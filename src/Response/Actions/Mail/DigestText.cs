using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Actions.Mail;

/// <summary>Writes one mail for many notifications: every one counted, by level and by kind, some listed. Bounded, however many there are. Any thread.</summary>
internal sealed class DigestText(Texts texts, MailText mails, IDeviceDirectory directory, IFindings findings)
{
    /// <summary>Notifications that are listed one by one, the highest level first; the rest is counted.</summary>
    public const int MostListed = 50;

    /// <summary>Kinds that are counted on a line of their own.</summary>
    public const int MostKinds = 50;

    /// <summary>Lines of notices, of all together; where something is left out the mail says so.</summary>
    public const int MostNoticeLines = 100;

    /// <param name="joined">What is told, at least one.</param>
    /// <param name="why">What it waited for, the first word of a key of <see cref="LeaseGroups"/>. Where everything was taken back the mail says that instead.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<MailContent> OfAsync(IReadOnlyList<Lease> joined, string why, CancellationToken cancellation)
    {
        var listed = new List<(Lease Lease, Finding? Finding)>();
        foreach (var lease in joined.OrderByDescending(Rank).Take(MostListed))
        {
            listed.Add((lease, lease.FindingId is { } id ? await findings.FindAsync(id, cancellation) : null));
        }

        var field = mails.FieldOf(joined[0]);
        var first = listed.Select(l => l.Finding).FirstOrDefault(f => f is not null);
        return MailText.Write(field, language =>
        {
            var count = Whole(joined.Count);
            var told = joined.Where(l => !l.Details.TellsRetraction).ToList();
            var levels = Levels.All.Reverse().Select(l => (Level: l, Count: told.Count(j => j.Level == l))).Where(l => l.Count > 0).ToList();
            var device = first is null ? "" : FindingSentence.DeviceName(first, first.DeviceId is { } id ? directory.Device(id) : null, texts, language);
            var lines = levels.Select(l => (mails.Level(l.Level, language), Whole(l.Count))).ToList();
            var kinds = told.Where(l => l.Details.Notice is null).GroupBy(l => (l.Level, l.Risk, l.Condition)).OrderByDescending(g => Rank(g.First())).ThenByDescending(g => g.Count()).ToList();
            lines.AddRange(kinds.Take(MostKinds).Select(g => ($"{mails.Level(g.Key.Level, language)} / {mails.Risk(g.Key.Risk, language)} / {texts.Name("condition", g.Key.Condition, language)}", Whole(g.Count()))));
            if (kinds.Count > MostKinds)
            {
                lines.Add((texts.Get("notification.digest.more-kinds", language), Whole(kinds.Skip(MostKinds).Sum(g => g.Count()))));
            }

            var left = MostNoticeLines;
            foreach (var (lease, finding) in listed)
            {
                lines.AddRange(Lines(lease, finding, field, language, left));
                left = Math.Max(left - (lease.Details.Notice?.Lines.Count ?? 0), 0);
            }

            if (told.Count > 0 && joined.Count - told.Count is > 0 and var withdrawn)
            {
                lines.Add((texts.Get("notification.digest.retracted", language), Whole(withdrawn)));
            }

            if (listed.Count < joined.Count)
            {
                lines.Add((texts.Get("response.mail.label.more", language), Whole(joined.Count - listed.Count)));
            }

            lines.AddRange(mails.Origin(field, language));
            lines.Add((texts.Get("response.mail.label.correlation", language), joined[0].CorrelationId));
            var what = told.Count > 0 ? why : "retracted";
            (string, string)[] values = [("count", count), ("levels", string.Join(texts.Get("notification.digest.and", language), levels.Select(l => $"{mails.Level(l.Level, language)} {l.Count}"))), ("device", device)];
            return (texts.Get($"notification.digest.{what}.subject", language, values), texts.Get($"notification.digest.{what}.text", language, values), lines);
        });
    }

    /// <summary>What one notification says; a notice with lines of its own, such as who changed what, with so many of them.</summary>
    private IEnumerable<(string, string)> Lines(Lease lease, Finding? finding, FieldProfile? field, string language, int most)
    {
        if (lease.Details.Notice is { } notice)
        {
            var at = FindingSentence.Time(lease.CreatedAt, field);
            IEnumerable<(string, string)> rest = notice.Lines.Count > most ? [(at, texts.Get("notification.digest.left-out", language))] : [];
            return [(at, NoticeText.Text(notice, texts, language)), .. NoticeText.Lines(notice, field, texts, language).Take(most), .. rest];
        }

        if (finding is null)
        {
            return [];
        }

        var sentence = FindingSentence.Of(finding, field, finding.DeviceId is { } id ? directory.Device(id) : null, texts, language);
        return [(FindingSentence.Time(finding.RaisedAt, field), lease.Details.TellsRetraction ? texts.Get("response.mail.retracted-line", language, ("sentence", sentence)) : sentence)];
    }

    private static int Rank(Lease lease) => lease.Level.Length == 0 ? -1 : Levels.Rank(lease.Level);

    private static string Whole(int count) => count.ToString(CultureInfo.InvariantCulture);
}
