using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sekisho.Scripting.Lua;

/// <summary>
/// What one Lua state uses and may use; lives in native memory beside it. The two callbacks are the only managed code that Lua calls: neither
/// throws nor raises. One thread at a time.
/// </summary>
internal unsafe struct Meter
{
    /// <summary>Instructions between two looks at the budget.</summary>
    public const int Step = 100;

    /// <summary>Bytes in use.</summary>
    public nint Used;

    /// <summary>Most that were in use since the last <see cref="Begin"/>.</summary>
    public nint Peak;

    /// <summary>Bytes that may be in use.</summary>
    public nint Cap;

    /// <summary>Bytes that one block may have.</summary>
    public nint MostBlock;

    /// <summary>Instructions left.</summary>
    public long Left;

    /// <summary>Stopwatch ticks before which the time cannot be over.</summary>
    public long Deadline;

    /// <summary><see cref="ThreadTime"/> at which it is over.</summary>
    public long Spent;

    /// <summary>Set when the instructions were used up.</summary>
    public bool InstructionsSpent;

    /// <summary>Set when the time was over.</summary>
    public bool TimeSpent;

    // Set when memory was refused for good: refused again after a full collection.
    private bool _exhausted;
    private void* _refused;
    private nuint _refusedSize;

    /// <summary>True when memory ran out, whether or not the script noticed: what it did afterwards is not to be trusted.</summary>
    public readonly bool Exhausted => _exhausted || _refusedSize != 0;

    /// <summary>While the host works on the stack nothing is refused, so that no function can raise.</summary>
    public void Lift() => (Cap, MostBlock) = (nint.MaxValue, nint.MaxValue);

    /// <summary>Starts the budgets of a call. Memory counts from what is in use now, the arguments of the call included.</summary>
    public void Begin(nint memory, nint block, long instructions, long ticks)
    {
        Cap = Used + memory;
        MostBlock = block;
        Peak = Used;
        Left = instructions;
        Deadline = Stopwatch.GetTimestamp() + ticks;
        Spent = ThreadTime.Now + ticks;
        InstructionsSpent = TimeSpent = _exhausted = false;
        _refusedSize = 0;
    }

    /// <summary>lua_Alloc.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void* Allocate(void* data, void* block, nuint oldSize, nuint size)
    {
        var meter = (Meter*)data;
        var before = block is null ? 0 : (nint)oldSize; // for a new block the old size tells its type
        if (size == 0)
        {
            NativeMemory.Free(block);
            meter->Used -= before;
            return null;
        }

        var grows = (nint)size > before;
        if (grows && ((nint)size > meter->MostBlock || (nint)size - before > meter->Cap - meter->Used))
        {
            // Lua collects its garbage and asks the same once more before it gives up.
            meter->_exhausted |= meter->_refusedSize == size && meter->_refused == block;
            meter->_refused = block;
            meter->_refusedSize = size;
            return null;
        }

        if (grows && meter->_refusedSize == size && meter->_refused == block)
        {
            meter->_refusedSize = 0;
        }

        var moved = Reallocate(block, size);
        if (moved is null)
        {
            return null;
        }

        meter->Used += (nint)size - before;
        meter->Peak = Math.Max(meter->Peak, meter->Used);
        return moved;
    }

    /// <summary>lua_Hook, every <see cref="Step"/> instructions. Out of budget it arms the native hook, which raises at the next instruction and stays armed, so that no pcall of the script swallows it.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Count(nint state, nint record)
    {
        var meter = *NativeLua.Extra(state);
        meter->Left -= Step;
        meter->InstructionsSpent = meter->Left <= 0;
        meter->TimeSpent = !meter->InstructionsSpent && meter->IsLate();
        if (meter->InstructionsSpent || meter->TimeSpent)
        {
            NativeLua.SetHook(state, NativeLua.RaiseHook, NativeLua.MaskCount, 1);
        }
    }

    // The thread's own clock costs a system call: it is asked only when more time has passed than the script may compute.
    private bool IsLate()
    {
        var now = Stopwatch.GetTimestamp();
        if (now <= Deadline)
        {
            return false;
        }

        var left = Spent - ThreadTime.Now;
        Deadline = now + left;
        return left < 0;
    }

    private static void* Reallocate(void* block, nuint size)
    {
        try
        {
            return NativeMemory.Realloc(block, size);
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }
}
