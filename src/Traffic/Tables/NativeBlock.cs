using System.Runtime.InteropServices;

namespace Sekisho.Traffic.Tables;

/// <summary>Zeroed memory outside of the managed heap, aligned to cache lines. All of it is asked for at once and the kernel gives pages when they are first touched: a table need not move when it grows, and memory that was never used costs nothing.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    public const int Line = 64;

    private void* _memory;

    public NativeBlock(long bytes)
    {
        _memory = NativeMemory.AllocZeroed((nuint)bytes + Line);
        Start = (byte*)(((nuint)_memory + Line - 1) & ~(nuint)(Line - 1));
    }

    ~NativeBlock() => Free();

    public byte* Start { get; private set; }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(_memory);
        _memory = null;
        Start = null;
    }
}
