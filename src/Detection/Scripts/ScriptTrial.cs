using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Detection.Scripts;

/// <summary>A message to try a script on.</summary>
/// <param name="Device">Identifier; "sample" without one.</param>
/// <param name="At">Arrival; a minute after the one before without it.</param>
/// <param name="Mode">Operating mode.</param>
/// <param name="Payload">What the device sends.</param>
internal sealed record SampleMessage(string? Device, DateTimeOffset? At, string? Mode, JsonElement Payload);

/// <summary>What a script would have found, and what it costs.</summary>
/// <param name="Messages">Messages it was tried on.</param>
/// <param name="Calls">Calls.</param>
/// <param name="Instructions">Instructions of a call, on average.</param>
/// <param name="MostInstructions">Of the most expensive one.</param>
/// <param name="Budget">Instructions that a call may use.</param>
/// <param name="Microseconds">Time of everything for a message, on average.</param>
/// <param name="Faults">Calls that failed.</param>
/// <param name="LastFault">What the last one was; null without.</param>
/// <param name="IsOff">True when it would have been switched off.</param>
/// <param name="IsCut">True when there was more than one trial takes.</param>
/// <param name="Findings">What it would have found, the first of them.</param>
/// <param name="Found">How many in all.</param>
/// <param name="Devices">Devices concerned.</param>
internal sealed record TrialResult(
    int Messages, long Calls, long Instructions, long MostInstructions, long Budget, double Microseconds, long Faults, string? LastFault, bool IsOff, bool IsCut, IReadOnlyList<Finding> Findings, int Found, int Devices);

/// <summary>Tries a script beside the live lanes, by the lanes' own code: nothing is stored, nobody is told. Any thread.</summary>
internal sealed class ScriptTrial(FieldPlans plans, IEventHistory history, IDeviceDirectory directory, TimeProvider time)
{
    /// <summary>Most messages of a trial.</summary>
    public const int MostMessages = 50_000;

    /// <summary>Most findings that are listed.</summary>
    public const int MostListed = 100;

    private const long Minute = 60_000;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    /// <summary>On messages given with the request.</summary>
    public async Task<TrialResult> TryAsync(string fieldId, string scriptId, string source, IReadOnlyList<SampleMessage> sample, CancellationToken cancellation)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        var messages = new List<GatewayEvent>();
        foreach (var one in sample)
        {
            at = one.At ?? at.AddMinutes(messages.Count == 0 ? 0 : 1);
            messages.Add(new MessageEvent
            {
                ArrivedAt = at,
                CorrelationId = "",
                FieldId = fieldId,
                DeviceId = one.Device ?? "sample",
                Epoch = 1,
                Mode = one.Mode,
                Source = "",
                Size = Encoding.UTF8.GetByteCount(one.Payload.ValueKind == JsonValueKind.Undefined ? "{}" : one.Payload.GetRawText()),
                Payload = Encoding.UTF8.GetBytes(one.Payload.ValueKind == JsonValueKind.Undefined ? "{}" : one.Payload.GetRawText()),
                MessageId = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{messages.Count:x32}"),
            });
        }

        return await RunAsync(fieldId, scriptId, source, One(messages.OrderBy(m => m.ArrivedAt).ToList()), at, cancellation).ConfigureAwait(false);
    }

    /// <summary>On what is kept.</summary>
    public Task<TrialResult> TryAsync(string fieldId, string scriptId, string source, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation) =>
        RunAsync(fieldId, scriptId, source, history.ReadAsync(fieldId, from, to, cancellation), to, cancellation);

    private static async IAsyncEnumerable<IReadOnlyList<GatewayEvent>> One(List<GatewayEvent> events)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var portion in events.Chunk(1000))
        {
            yield return portion;
        }
    }

    private async Task<TrialResult> RunAsync(string fieldId, string scriptId, string source, IAsyncEnumerable<IReadOnlyList<GatewayEvent>> portions, DateTimeOffset end, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var present = plans.Current().For(fieldId);
        var zone = directory.Field(fieldId)?.TimeZone is { } id && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var known) ? known : TimeZoneInfo.Utc;
        var book = new PlanBook(FieldPlan.None, new Dictionary<string, FieldPlan> { [fieldId] = new(FieldTemplate.None, zone) { HidesContent = present.HidesContent } });
        var runner = new LaneRunner(new SubjectTable(directory, 16), default, LaneBooks.Empty, new ChangedSubjects(null));
        var change = new ScriptChangedEvent
        {
            ArrivedAt = DateTimeOffset.UnixEpoch,
            CorrelationId = "",
            FieldId = fieldId,
            ScriptId = scriptId,
            Version = 0,
            InForce = true,
            Effect = Effects.Act,
            Source = Encoding.UTF8.GetBytes(source),
            By = "",
        };
        runner.Step([change], book);
        var script = runner.Books.Scripts.All[0];
        try
        {
            var tally = new Tally(runner, book);
            await foreach (var portion in portions.ConfigureAwait(false))
            {
                cancellation.ThrowIfCancellationRequested();
                if (!tally.Take(portion) || Stopwatch.GetElapsedTime(started) > Longest)
                {
                    tally.IsCut = true;
                    break;
                }
            }

            if (script.Manifest is { IsWorker: true })
            {
                tally.Take([ScriptWorkers.Run(change, default, new ScriptHistory(fieldId, end, history, directory, cancellation), end)]);
            }

            return tally.Result(script, Stopwatch.GetElapsedTime(started));
        }
        finally
        {
            script.Dispose();
        }
    }

    private sealed class Tally(LaneRunner runner, PlanBook book)
    {
        private readonly List<Finding> _findings = [];
        private readonly HashSet<string> _devices = [];
        private int _messages;
        private int _found;
        private long _position;
        private long _tickAt;

        public bool IsCut { get; set; }

        /// <summary>Runs a portion, with a tick for each minute.</summary>
        /// <returns>False when it was too many.</returns>
        public bool Take(IReadOnlyList<GatewayEvent> portion)
        {
            var events = new List<GatewayEvent>();
            foreach (var one in portion.Where(e => e is not (ScriptChangedEvent or TickEvent)))
            {
                var at = one.ArrivedAt.ToUnixTimeMilliseconds();
                _tickAt = _tickAt == 0 || at - _tickAt > 7 * 24 * 60 * Minute ? at / Minute * Minute : _tickAt;
                for (; _tickAt + Minute <= at; _tickAt += Minute)
                {
                    events.Add(new TickEvent { Position = ++_position, ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(_tickAt + Minute), CorrelationId = "" });
                }

                if (one is MessageEvent && ++_messages > MostMessages)
                {
                    _messages--;
                    break;
                }

                events.Add(one with { Position = ++_position });
            }

            if (events.Count == 0)
            {
                return true;
            }

            foreach (var finding in runner.Step(events, book).Batch.Findings.Where(f => f.Condition != ScriptFaultFinding.Condition))
            {
                _found++;
                _devices.Add(finding.ScopeKey);
                if (_findings.Count < MostListed)
                {
                    _findings.Add(finding);
                }
            }

            return _messages < MostMessages;
        }

        public TrialResult Result(RunningScript script, TimeSpan taken) => new(
            _messages,
            script.Calls,
            script.Calls == 0 ? 0 : script.Instructions / script.Calls,
            script.MostInstructions,
            (script.Manifest?.IsWorker == true ? Sekisho.Scripting.SandboxLimits.Worker : Sekisho.Scripting.SandboxLimits.Flow).Instructions,
            _messages == 0 ? 0 : Math.Round(taken.TotalMicroseconds / _messages, 1),
            script.Health.Faults,
            script.Health.LastFault,
            script.Health.IsOff,
            IsCut,
            _findings,
            _found,
            _devices.Count);
    }
}
