using System.Runtime.InteropServices;

namespace Sekisho.Traffic.Tests.Headers;

/// <summary>Memory between two pages that may not be touched: whoever reads outside of what lies at its begin or end ends the process.</summary>
internal sealed unsafe partial class GuardedPages : IDisposable
{
    private const int None = 0;
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly int page = Environment.SystemPageSize;
    private readonly byte* start;

    public GuardedPages(int size)
    {
        Size = (size + page - 1) / page * page;
        start = Map(null, (nuint)(Size + (2 * page)), ReadWrite, PrivateAnonymous, -1, 0);
        Assert.True((nint)start > 0, "no memory was mapped");
        Assert.Equal(0, Protect(start, (nuint)page, None));
        Assert.Equal(0, Protect(start + page + Size, (nuint)page, None));
    }

    /// <summary>Bytes between the guards.</summary>
    public int Size { get; }

    /// <summary>A copy of <paramref name="bytes"/> that ends where the upper guard begins.</summary>
    public ReadOnlySpan<byte> AtEnd(ReadOnlySpan<byte> bytes) => Copy(bytes, start + page + Size - bytes.Length);

    /// <summary>A copy of <paramref name="bytes"/> that begins where the lower guard ends.</summary>
    public ReadOnlySpan<byte> AtBegin(ReadOnlySpan<byte> bytes) => Copy(bytes, start + page);

    public void Dispose() => Assert.Equal(0, Unmap(start, (nuint)(Size + (2 * page))));

    private static ReadOnlySpan<byte> Copy(ReadOnlySpan<byte> bytes, byte* place)
    {
        var copy = new Span<byte>(place, bytes.Length);
        bytes.CopyTo(copy);
        return copy;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial byte* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint length, int protection);
}
