using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Sekisho.Scripting.Lua;

namespace Sekisho.Scripting;

/// <summary>
/// One script in a Lua state of its own: no files, no network, no clock, no chance. Every call runs the script from its beginning in a fresh
/// environment, so its result depends on the arguments alone, and ends within its budgets whatever the script does. After a fault the state
/// is built anew. One thread at a time.
/// </summary>
public sealed unsafe class Sandbox : IDisposable
{
    private const int MostMessage = 500;
    private const int MostResults = 8;

    // The driver lies at the bottom of the stack.
    private const int Driver = 1;

    private static readonly byte[] Prelude = ReadPrelude();
    private static readonly nint CountHook = (nint)(delegate* unmanaged[Cdecl]<nint, nint, void>)&Meter.Count;
    private static readonly (string Name, string Open)[] Opened =
    [
        ("_G", "luaopen_base"), ("string", "luaopen_string"), ("table", "luaopen_table"), ("math", "luaopen_math"), ("utf8", "luaopen_utf8"), ("coroutine", "luaopen_coroutine"),
    ];

    private readonly byte[] _source;
    private readonly string _name;
    private readonly SandboxLimits _limits;
    private readonly IReadOnlyList<HostLibrary> _libraries;
    private readonly LuaToJson _results;
    private Meter* _meter;
    private nint _state;
    private bool _disposed;

    private Sandbox(byte[] source, string name, SandboxLimits limits, IReadOnlyList<HostLibrary> libraries)
    {
        (_source, _name, _limits, _libraries) = (source, name, limits, libraries);
        _results = new LuaToJson(limits.MostResultBytes, describing: false);
    }

    /// <summary>Frees the native memory of a sandbox that nobody disposed.</summary>
    ~Sandbox() => Close();

    /// <summary>Bytes that its state uses now.</summary>
    public long MemoryInUse => _meter is null ? 0 : _meter->Used;

    /// <summary>Loads a script. Nothing of it runs yet.</summary>
    /// <param name="source">Lua text (UTF-8).</param>
    /// <param name="name">Name for messages.</param>
    /// <param name="limits">Budgets of each call.</param>
    /// <param name="libraries">Functions that a host answers, for scripts that run with one.</param>
    /// <param name="fault">Why it cannot be loaded.</param>
    /// <returns>The sandbox; null when there is a fault.</returns>
    public static Sandbox? Open(ReadOnlySpan<byte> source, string name, SandboxLimits limits, IReadOnlyList<HostLibrary> libraries, out ScriptFault? fault)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(libraries);
        if (source.Length > limits.MostSourceBytes)
        {
            fault = new ScriptFault(FaultKind.Syntax, $"the script has {source.Length} bytes; {limits.MostSourceBytes} are allowed");
            return null;
        }

        var sandbox = new Sandbox(source.ToArray(), name, limits, libraries);
        fault = sandbox.Build();
        if (fault is null)
        {
            return sandbox;
        }

        sandbox.Dispose();
        return null;
    }

    /// <summary>The table that the script returns, as JSON in a list of one; functions appear as the text "function".</summary>
    public ScriptRun Describe()
    {
        using var results = new LuaToJson(_limits.MostResultBytes, describing: true);
        var run = Run(null, [], null, results);
        return run with { Result = run.Result.ToArray() };
    }

    /// <summary>Calls a function of the script.</summary>
    /// <param name="function">Its name in the table that the script returns.</param>
    /// <param name="arguments">JSON (UTF-8), one for each argument.</param>
    /// <exception cref="JsonException">An argument is no JSON.</exception>
    public ScriptRun Call(string function, params ReadOnlySpan<ReadOnlyMemory<byte>> arguments) => Run(function, arguments, null, _results);

    /// <summary>Calls a function of the script that may ask the host.</summary>
    /// <param name="function">As in <see cref="Call"/>.</param>
    /// <param name="host">Answers; its time does not count.</param>
    /// <param name="arguments">As in <see cref="Call"/>.</param>
    public ScriptRun CallWith(string function, IScriptHost host, params ReadOnlySpan<ReadOnlyMemory<byte>> arguments) => Run(function, arguments, host, _results);

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        Close();
        _results.Dispose();
        GC.SuppressFinalize(this);
    }

    private static byte[] ReadPrelude()
    {
        using var stream = typeof(Sandbox).Assembly.GetManifestResourceStream("Lua/prelude.lua")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private ScriptRun Run(string? function, ReadOnlySpan<ReadOnlyMemory<byte>> arguments, IScriptHost? host, LuaToJson results)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_state == 0 && Build() is { } broken)
        {
            return new ScriptRun(default, broken, 0, 0, TimeSpan.Zero);
        }

        var done = false;
        try
        {
            _meter->Lift();
            var started = Stopwatch.GetTimestamp();
            var thread = host is null ? _state : NativeLua.NewThread(_state);
            Push(thread, function, arguments);
            var before = _meter->Used;
            Begin(thread, _limits.Time);
            var status = host is null
                ? NativeLua.Call(thread, arguments.Length + 1, NativeLua.MultipleResults, 0, 0, 0)
                : Resume(thread, arguments.Length + 1, host);
            var fault = End(thread, status, host is null ? Driver + 1 : 1, results);
            var run = new ScriptRun(
                fault is null ? results.Json : default, fault, _limits.Instructions - Math.Max(0, _meter->Left), _meter->Peak - before, Stopwatch.GetElapsedTime(started));
            NativeLua.SetTop(_state, Driver);
            done = fault is null;
            return run;
        }
        finally
        {
            if (!done)
            {
                Close();
            }
        }
    }

    private void Push(nint thread, string? function, ReadOnlySpan<ReadOnlyMemory<byte>> arguments)
    {
        if (NativeLua.CheckStack(thread, arguments.Length + MostResults + 4) == 0 || NativeLua.CheckStack(_state, 4) == 0)
        {
            throw new InvalidOperationException("The Lua stack cannot grow.");
        }

        NativeLua.PushCopy(_state, Driver);
        if (thread != _state)
        {
            NativeLua.Move(_state, thread, 1);
        }

        if (function is null)
        {
            NativeLua.PushNil(thread);
        }
        else
        {
            NativeLua.Push(thread, Encoding.UTF8.GetBytes(function));
        }

        foreach (var argument in arguments)
        {
            JsonToLua.Push(thread, argument.Span);
        }
    }

    private void Begin(nint thread, TimeSpan time)
    {
        _meter->Begin(_limits.Memory, _limits.MostBlock, _limits.Instructions, (long)(time.TotalSeconds * Stopwatch.Frequency));
        NativeLua.SetHook(thread, CountHook, NativeLua.MaskCount, Meter.Step);
    }

    /// <summary>Runs a thread of the state, answering what it asks, until it ends.</summary>
    private int Resume(nint thread, int arguments, IScriptHost host)
    {
        using var question = new LuaToJson(_limits.MostResultBytes, describing: false);
        while (true)
        {
            int results;
            var status = NativeLua.Resume(thread, _state, arguments, &results);
            if (status != NativeLua.Yield)
            {
                return status;
            }

            var (cap, block, asked, spent) = (_meter->Cap, _meter->MostBlock, Stopwatch.GetTimestamp(), ThreadTime.Now);
            _meter->Lift();
            var before = _meter->Used;
            arguments = Answer(thread, results, host, question);

            // What the host gave is not the script's doing, and the time it took is not the script's time.
            (_meter->Cap, _meter->MostBlock) = (cap + (_meter->Used - before), block);
            _meter->Deadline += Stopwatch.GetTimestamp() - asked;
            _meter->Spent += ThreadTime.Now - spent;
        }
    }

    private static int Answer(nint thread, int results, IScriptHost host, LuaToJson question)
    {
        var first = NativeLua.Top(thread) - results + 1;
        var name = NativeLua.Type(thread, first) == NativeLua.TypeString ? Encoding.UTF8.GetString(NativeLua.Text(thread, first)) : "";
        var wrong = question.Read(thread, first + 1);
        var answer = wrong is null ? host.Answer(name, Single(question.Json)) : new HostAnswer(default, wrong);
        NativeLua.SetTop(thread, first - 1);
        if (answer.Fault is { } fault)
        {
            NativeLua.PushNil(thread);
            NativeLua.Push(thread, Encoding.UTF8.GetBytes(fault));
            return 2;
        }

        JsonToLua.Push(thread, answer.Value.Span);
        return 1;
    }

    // The argument stands in a list of one; a call without any has an empty list.
    private static ReadOnlyMemory<byte> Single(ReadOnlyMemory<byte> list) => list.Length <= 2 ? "null"u8.ToArray() : list[1..^1];

    private ScriptFault? End(nint thread, int status, int first, LuaToJson results)
    {
        NativeLua.SetHook(thread, 0, 0, 0);
        _meter->Lift();
        if (_meter->InstructionsSpent)
        {
            return new ScriptFault(FaultKind.Instructions, $"more than {_limits.Instructions} instructions in one call");
        }

        if (_meter->TimeSpent)
        {
            return new ScriptFault(FaultKind.Time, $"more than {_limits.Time.TotalMilliseconds} ms in one call");
        }

        if (_meter->Exhausted || status == NativeLua.OutOfMemory)
        {
            return new ScriptFault(FaultKind.Memory, $"more than {_limits.Memory} bytes in one call, or more than {_limits.MostBlock} in one table or text");
        }

        if (status != NativeLua.Ok)
        {
            return new ScriptFault(FaultKind.Error, Message(thread));
        }

        if (NativeLua.Top(thread) - first >= MostResults)
        {
            return new ScriptFault(FaultKind.Error, $"more than {MostResults} values returned");
        }

        return results.Read(thread, first) is { } fault ? new ScriptFault(FaultKind.Error, fault) : null;
    }

    private static string Message(nint state)
    {
        if (NativeLua.Top(state) == 0 || NativeLua.Type(state, -1) != NativeLua.TypeString)
        {
            return "an error without a text";
        }

        var text = Encoding.UTF8.GetString(NativeLua.Text(state, -1));
        return text.Length <= MostMessage ? text : text[..MostMessage];
    }

    /// <summary>Makes the state: libraries, the prelude, the script, and the driver that the prelude makes of it.</summary>
    private ScriptFault? Build()
    {
        _meter = (Meter*)NativeMemory.AllocZeroed((nuint)sizeof(Meter));
        _meter->Lift();
        _state = NativeLua.NewState(&Meter.Allocate, _meter);
        if (_state == 0)
        {
            Close();
            throw new InsufficientMemoryException("There is no memory for a Lua state.");
        }

        *NativeLua.Extra(_state) = _meter;
        foreach (var (name, open) in Opened)
        {
            NativeLua.Require(_state, name, NativeLua.Export(open), global: 1);
            NativeLua.SetTop(_state, -2);
        }

        // The prelude needs one function of the debug library; the library itself stays out of reach.
        NativeLua.Require(_state, "debug", NativeLua.Export("luaopen_debug"), global: 0);
        NativeLua.Push(_state, "setupvalue"u8);
        _ = NativeLua.RawGet(_state, 1);
        Must(Load(Prelude, "prelude"));
        PushLibraries();
        NativeLua.PushCopy(_state, 2);
        Must(NativeLua.Call(_state, 2, 1, 0, 0, 0));
        Begin(_state, TimeSpan.FromMinutes(1));
        var status = Load(_source, _name);
        NativeLua.SetHook(_state, 0, 0, 0);
        _meter->Lift();
        if (status != NativeLua.Ok)
        {
            var fault = status == NativeLua.OutOfMemory ? new ScriptFault(FaultKind.Memory, "the script is too large") : new ScriptFault(FaultKind.Syntax, Message(_state));
            Close();
            return fault;
        }

        NativeLua.PushLightUserData(_state, 0);
        Must(NativeLua.Call(_state, 2, 1, 0, 0, 0));
        NativeLua.Rotate(_state, 1, 1);
        NativeLua.SetTop(_state, Driver);
        return null;
    }

    private int Load(byte[] text, string name)
    {
        fixed (byte* start = text)
        {
            return NativeLua.Load(_state, start, (nuint)text.Length, "=" + name, "t");
        }
    }

    private void PushLibraries()
    {
        NativeLua.CreateTable(_state, 0, _libraries.Count);
        foreach (var library in _libraries)
        {
            NativeLua.Push(_state, Encoding.UTF8.GetBytes(library.Name));
            NativeLua.CreateTable(_state, library.Functions.Count, 0);
            for (var i = 0; i < library.Functions.Count; i++)
            {
                NativeLua.Push(_state, Encoding.UTF8.GetBytes(library.Functions[i]));
                NativeLua.RawSetAt(_state, -2, i + 1);
            }

            NativeLua.RawSet(_state, -3);
        }
    }

    private void Must(int status)
    {
        if (status != NativeLua.Ok)
        {
            var message = Message(_state);
            Close();
            throw new InvalidOperationException("The script library is broken: " + message);
        }
    }

    private void Close()
    {
        if (_state != 0)
        {
            _meter->Lift();
            NativeLua.Close(_state);
            _state = 0;
        }

        NativeMemory.Free(_meter);
        _meter = null;
    }
}
