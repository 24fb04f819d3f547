using Sekisho.Detection.Conditions;
using Sekisho.Detection.Findings;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>What scripts bring into the lanes: versions, reports of workers, faults.</summary>
internal sealed partial class LaneRunner
{
    // From here on another version is in force: states stay, what only the old one claimed is over, and so is what was said of its faults.
    private void Take(ScriptChangedEvent change)
    {
        _scripts.Add(change);
        _books.Scripts.Find(change.FieldId, change.ScriptId)?.Dispose();
        _books = _books with { Scripts = _books.Scripts.With(change) };
        _cleared.Add(new Clearance(
            ScriptFaultFinding.Subject(change.FieldId), change.FieldId, ScriptFaultFinding.Identity(change.ScriptId), change.ArrivedAt.ToUnixTimeMilliseconds(), change.Position, change.CorrelationId));
        Adopt(change.Position);
        if (_books.Scripts.Find(change.FieldId, change.ScriptId) is { } script)
        {
            TellFaults([script], Bare(change), change.CorrelationId);
        }
    }

    private Signal Bare(GatewayEvent happened) => new() { Kind = SignalKind.Device, At = _clock.SeenAt, EventAt = _clock.SeenAt, Position = happened.Position, Downtime = _clock.Downtime };

    private void Take(ScriptReportEvent report)
    {
        if (_books.Scripts.Find(report.FieldId, report.ScriptId) is not { Manifest: not null } script || script.Change.Version != report.Version)
        {
            return;
        }

        var plan = _book!.For(report.FieldId);
        foreach (var (deviceId, claims) in script.Take(report))
        {
            if (subjects.ProfileOf(deviceId)?.FieldId != report.FieldId)
            {
                continue;
            }

            var device = subjects.Device(deviceId, report.FieldId, plan, _gone);
            var signal = _signals.Of(report, SignalKind.Device, "", report.FieldId, deviceId, null, device, device.Profile, _clock, _books);
            ClearGone(device, signal.At, signal.Position, report.CorrelationId);
            changes.Touch(device);
            script.Show(claims);
            foreach (var condition in device.Plan.Conditions)
            {
                if (condition.Source.Template.Id == "script." + report.ScriptId)
                {
                    JudgeOne(device, condition, signal, report);
                }
            }

            subjects.Await(device, _clock);
        }

        script.Pass();
        TellFaults([script], Bare(report), report.CorrelationId);
    }

    private void TellFaults(IReadOnlyList<RunningScript> scripts, in Signal signal, string correlationId)
    {
        foreach (var script in scripts)
        {
            if (script.TakeNews() is { } news)
            {
                _raised.Add(ScriptFaultFinding.Of(news, signal, correlationId));
            }
        }
    }
}
