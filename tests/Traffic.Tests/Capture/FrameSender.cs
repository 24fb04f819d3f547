using System.Runtime.InteropServices;

namespace Sekisho.Traffic.Tests.Capture;

/// <summary>Sends frames as they are on an interface of the namespace it is made in, and counts those that the kernel took.</summary>
internal sealed unsafe partial class FrameSender : IDisposable
{
    private readonly int _descriptor;

    /// <param name="name">Interface.</param>
    /// <param name="pastQueue">Past the queue of the interface, which would be a place to lose frames unseen; taps on that interface do not see such frames.</param>
    public FrameSender(string name, bool pastQueue = true)
    {
        _descriptor = Socket(17, 3, 0);
        var address = new Address { Family = 17, Index = (int)InterfaceIndex(name) };
        if (_descriptor < 0 || Bind(_descriptor, &address, (uint)sizeof(Address)) < 0)
        {
            throw new InvalidOperationException($"{name}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        var one = pastQueue ? 1 : 0;
        _ = SetOption(_descriptor, 263, 20, &one, sizeof(int));
    }

    public int Sent { get; private set; }

    public bool Send(ReadOnlySpan<byte> frame)
    {
        fixed (byte* begin = frame)
        {
            if (SendBytes(_descriptor, begin, (nuint)frame.Length, 0) != frame.Length)
            {
                return false;
            }
        }

        Sent++;
        return true;
    }

    public void Dispose() => _ = Close(_descriptor);

    [StructLayout(LayoutKind.Sequential, Size = 20)]
    private struct Address
    {
        public ushort Family;
        public ushort Protocol;
        public int Index;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int descriptor, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint SendBytes(int descriptor, void* bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint InterfaceIndex(string name);
}
