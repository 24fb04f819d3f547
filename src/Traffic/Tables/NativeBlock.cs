using System.Runtime.InteropServices;

namespace Sekisho.Traffic.Tables;

/// <summary>Zeroed memory outside of the managed heap, aligned to cache lines. All of it is asked for at once and the kernel gives pages when they are first touched: a table need not move when it grows, and memory that was never used costs nothing.</summary>
internal sealed unsafe partial class NativeBlock : IDisposable
{
    public const int Line = 64;

    // Tables of some size lie in large pages where the kernel has them (2 MiB each): a packet's entry is anywhere in the table, and each look into small pages first costs one into the page tables.
    private const long LargeFrom = 2 << 20;
    private const int HugePages = 14;

    // Of the kernel itself: what the C library frees it may keep, and an index that doubles leaves half its size each time.
    private const long MappedFrom = 1 << 20;
    private const int ReadAndWrite = 3;
    private const int PrivateAndAnonymous = 0x22;

    private readonly nuint _mapped;
    private void* _memory;

    public NativeBlock(long bytes)
    {
        if (bytes < MappedFrom || !OperatingSystem.IsLinux())
        {
            _memory = NativeMemory.AllocZeroed((nuint)bytes + Line);
            Start = (byte*)(((nuint)_memory + Line - 1) & ~(nuint)(Line - 1));
            return;
        }

        _mapped = (nuint)bytes;
        Start = (byte*)Map(null, _mapped, ReadAndWrite, PrivateAndAnonymous, -1, 0);
        if ((nint)Start == -1)
        {
            Start = null;
            throw new InsufficientMemoryException($"{bytes} bytes for a table: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        _memory = Start;
        if (bytes >= LargeFrom)
        {
            // Advice only: refused, all is as it was.
            _ = Advise(_memory, _mapped, HugePages);
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
        if (_mapped == 0)
        {
            NativeMemory.Free(_memory);
        }
        else if (_memory != null)
        {
            _ = Unmap(_memory, _mapped);
        }

        _memory = null;
        Start = null;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
