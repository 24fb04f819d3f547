using System.Runtime.InteropServices;

namespace Sekisho.Traffic.Tables;

/// <summary>Zeroed memory outside of the managed heap, aligned to cache lines. All of it is asked for at once and the kernel gives pages when they are first touched: a table need not move when it grows, and memory that was never used costs nothing.</summary>
internal sealed unsafe partial class NativeBlock : IDisposable
{
    public const int Line = 64;

    // Large tables lie in large pages where the kernel has them: a packet's entry is anywhere in the table, and each look into small pages first costs one into the page tables.
    private const long LargeFrom = 4 << 20;
    private const int HugePages = 14;

    private void* _memory;

    public NativeBlock(long bytes)
    {
        _memory = NativeMemory.AllocZeroed((nuint)bytes + Line);
        Start = (byte*)(((nuint)_memory + Line - 1) & ~(nuint)(Line - 1));
        if (bytes >= LargeFrom && OperatingSystem.IsLinux())
        {
            // Advice only: refused, all is as it was.
            var page = (nuint)Environment.SystemPageSize;
            var from = ((nuint)_memory + page - 1) & ~(page - 1);
            _ = Advise((void*)from, (nuint)bytes - (from - (nuint)_memory), HugePages);
        }
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

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
