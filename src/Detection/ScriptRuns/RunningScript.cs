using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Sekisho.Detection.Conditions;
using Sekisho.Domain.Events;
using Sekisho.Scripting;

namespace Sekisho.Detection.ScriptRuns;

/// <summary>How a script in force fares; stored with the lanes.</summary>
/// <param name="InARow">Failed calls since the last good one.</param>
/// <param name="Faults">Failed calls since it was put in force.</param>
/// <param name="LastFault">What the last one was; null when there was none.</param>
/// <param name="IsOff">True when it was switched off for its faults.</param>
internal sealed record ScriptHealth(int InARow, long Faults, string? LastFault, bool IsOff)
{
    public static readonly ScriptHealth Good = new(0, 0, null, IsOff: false);
}

/// <summary>A fault that people are told of.</summary>
internal sealed record ScriptNews(RunningScript Script, string Message, bool IsOff);

/// <summary>
/// A script in force. It runs within its budget whatever it does; a call that fails changes nothing of the device's state and claims nothing.
/// Failing too often in a row switches it off; so does at once what another run might not repeat (time, memory), so that no verdict behind it
/// rests on chance. One lane at a time.
/// </summary>
internal sealed class RunningScript : IDisposable
{
    /// <summary>Failed calls in a row after which it is switched off.</summary>
    public const int MostInARow = 5;

    /// <summary>Cells before the bytes of the state: their number, and when a tick was shown last.</summary>
    public const int StateAt = 2;

    private readonly ScriptVerdict?[] _verdicts = [];
    private readonly Sandbox? _sandbox;
    private ScriptInput? _input;
    private ScriptNews? _news;

    public RunningScript(ScriptChangedEvent change, ScriptHealth health)
    {
        (Change, Health) = (change, health);
        _sandbox = ScriptSource.Open(change.Source.Span, out var manifest, out var faults);
        Manifest = manifest;
        if (manifest is null)
        {
            // It was looked at before it was put in force: only another version of Sekisho can come here.
            Off(string.Join("; ", faults.Select(f => f.Place + " " + f.Key)));
            return;
        }

        _verdicts = new ScriptVerdict?[manifest.Findings.Count];
        if (manifest.IsWorker)
        {
            // Workers run in threads of their own, from a sandbox of their own.
            _sandbox?.Dispose();
            _sandbox = null;
        }
    }

    /// <summary>The event that put it in force.</summary>
    public ScriptChangedEvent Change { get; }

    /// <summary>Null when the text cannot be read.</summary>
    public ScriptManifest? Manifest { get; }

    public ScriptHealth Health { get; private set; }

    /// <summary>True when <see cref="Health"/> or <see cref="WorkerState"/> changed since they were stored.</summary>
    public bool IsDirty { get; private set; }

    /// <summary>State of a worker, JSON.</summary>
    public ReadOnlyMemory<byte> WorkerState { get; set; } = "{}"u8.ToArray();

    /// <summary>Calls since the program started.</summary>
    public long Calls { get; private set; }

    /// <summary>Instructions of the most expensive of them.</summary>
    public long MostInstructions { get; private set; }

    public long Instructions { get; private set; }

    public bool IsOff => Health.IsOff;

    /// <summary>Cells that a device needs.</summary>
    public int Cells => StateAt + ((Manifest!.StateBytes + sizeof(long) - 1) / sizeof(long));

    /// <summary>What the last call said of a finding; null when it said nothing.</summary>
    public ScriptVerdict? VerdictOf(int finding) => _verdicts[finding];

    public void SetZone(TimeZoneInfo zone)
    {
        _input?.Dispose();
        _input = new ScriptInput(zone);
    }

    /// <summary>The next signal is not for it.</summary>
    public void Pass() => Array.Clear(_verdicts);

    /// <summary>Shows it a signal of a device.</summary>
    public void Step(Span<long> state, in Signal signal)
    {
        Array.Clear(_verdicts);
        if (IsOff)
        {
            return;
        }

        var room = MemoryMarshal.AsBytes(state[StateAt..])[..Manifest!.StateBytes];
        ScriptRun run;
        try
        {
            run = _sandbox!.Call("step", _input!.Write(signal), state[0] == 0 ? "{}"u8.ToArray() : room[..(int)state[0]].ToArray());
        }
        catch (JsonException)
        {
            // Content that Lua cannot take (a lone surrogate, deeper than 32): the device's doing, seen as one more failed call.
            Failed("the content of the event cannot be given to a script", byChance: false);
            return;
        }

        Calls++;
        Instructions += run.Instructions;
        MostInstructions = Math.Max(MostInstructions, run.Instructions);
        if (run.Fault is { } fault)
        {
            Failed(fault.Message, !fault.Repeatable);
        }
        else if (Take(run.Result, state, room) is { } wrong)
        {
            Array.Clear(_verdicts);
            Failed(wrong, byChance: false);
        }
        else
        {
            Worked();
        }
    }

    /// <summary>Takes over what a worker reported.</summary>
    /// <returns>Claims by device; nothing when the report cannot be taken.</returns>
    public IReadOnlyList<(string DeviceId, JsonElement Claims)> Take(ScriptReportEvent report)
    {
        if (IsOff)
        {
            return [];
        }

        if (report.Fault is { } fault)
        {
            Failed(fault, report.Chance);
            return [];
        }

        try
        {
            using var document = JsonDocument.Parse(report.Result);
            var list = document.RootElement;
            var count = list.GetArrayLength();
            if (count > 0 && !ScriptResult.IsNothing(list[0]))
            {
                WorkerState = JsonSerializer.SerializeToUtf8Bytes(list[0]);
            }

            Worked();
            IsDirty = true;
            return count > 1 && list[1].ValueKind == JsonValueKind.Object ? [.. list[1].EnumerateObject().Select(c => (c.Name, c.Value.Clone()))] : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The journal keeps what the worker's thread checked; this is for bytes that somebody else made.
            Failed("the report is no list of a state and claims", byChance: false);
            return [];
        }
    }

    /// <summary>Reads the claims of one device out of a worker's report, so that <see cref="VerdictOf"/> has them.</summary>
    public void Show(JsonElement claims)
    {
        if (ScriptResult.Read(claims, Manifest!, _verdicts) is { } wrong)
        {
            Array.Clear(_verdicts);
            Failed(wrong, byChance: false);
        }
    }

    /// <summary>The fault to tell of, once.</summary>
    public ScriptNews? TakeNews()
    {
        var news = _news;
        _news = null;
        return news;
    }

    /// <summary>What is to be stored; null when it is as it was.</summary>
    public ScriptMark? TakeMark()
    {
        if (!IsDirty)
        {
            return null;
        }

        IsDirty = false;
        return new ScriptMark(Change.FieldId, Change.ScriptId, Health, Manifest is { IsWorker: true } ? WorkerState : default);
    }

    public void Dispose()
    {
        _sandbox?.Dispose();
        _input?.Dispose();
    }

    private string? Take(ReadOnlyMemory<byte> result, Span<long> state, Span<byte> room)
    {
        using var document = JsonDocument.Parse(result);
        var list = document.RootElement;
        var count = list.GetArrayLength();
        if (count > 1 && ScriptResult.Read(list[1], Manifest!, _verdicts) is { } wrong)
        {
            return wrong;
        }

        if (count == 0 || list[0].ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (list[0].ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
        {
            return "the state is returned as a table";
        }

        var written = JsonMarshal.GetRawUtf8Value(list[0]);
        if (written.Length > room.Length)
        {
            return string.Create(CultureInfo.InvariantCulture, $"the state has {written.Length} bytes; the manifest says {room.Length}");
        }

        room[written.Length..].Clear();
        written.CopyTo(room);
        state[0] = written.Length;
        return null;
    }

    private void Worked()
    {
        if (Health.InARow != 0)
        {
            (Health, IsDirty) = (Health with { InARow = 0 }, true);
        }
    }

    private void Failed(string message, bool byChance)
    {
        DetectionMetrics.ScriptFaults.Add(1);
        var inARow = Health.InARow + 1;
        var first = Health.Faults == 0;
        (Health, IsDirty) = (new ScriptHealth(inARow, Health.Faults + 1, message, byChance || inARow >= MostInARow), true);
        if (first || IsOff)
        {
            _news = new ScriptNews(this, message, IsOff);
        }
    }

    private void Off(string message)
    {
        if (!IsOff)
        {
            (Health, IsDirty) = (new ScriptHealth(MostInARow, Health.Faults + 1, message, IsOff: true), true);
            _news = new ScriptNews(this, message, IsOff: true);
        }
    }
}

/// <summary>What the lanes store of a script in force.</summary>
internal sealed record ScriptMark(string FieldId, string ScriptId, ScriptHealth Health, ReadOnlyMemory<byte> WorkerState);
