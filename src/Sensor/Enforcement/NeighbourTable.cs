using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace Sekisho.Sensor.Enforcement;

/// <summary>
/// The kernel's table of IPv6 neighbours, which no file shows: asked for over rtnetlink (RFC 3549).
/// <code>
/// nlmsghdr  length 4 · type 2 · flags 2 · sequence 4 · port 4          in the machine's byte order
/// ndmsg     family 1 · pad 3 · interface 4 · state 2 · flags 1 · type 1
/// rtattr    length 2 · type 2 · value, padded to 4                     NDA_DST 1: the address; NDA_LLADDR 2: the MAC
/// </code>
/// </summary>
internal static class NeighbourTable
{
    private const int Netlink = 16;
    private const int Raw = 3;
    private const int HeaderLength = 16;
    private const int MessageLength = 12;
    private const int AttributeLength = 4;
    private const ushort Done = 3;
    private const ushort Error = 2;
    private const ushort NewNeighbour = 28;
    private const byte Ipv6 = 10;
    private const int NameLength = 16;
    private const int MostAnswers = 1_000;

    /// <summary>The neighbours it knows; none when the kernel does not tell.</summary>
    public static IReadOnlyList<Neighbour> Ipv6Neighbours()
    {
        var socket = Socket(Netlink, Raw, 0);
        if (socket < 0)
        {
            return [];
        }

        try
        {
            // A dump (NLM_F_REQUEST | NLM_F_DUMP) of RTM_GETNEIGH for the family. The kernel answers at once; a receive that waits in vain ends after a second.
            var question = new byte[HeaderLength + MessageLength];
            MemoryMarshal.Write(question, question.Length);
            MemoryMarshal.Write(question.AsSpan(4), (ushort)30);
            MemoryMarshal.Write(question.AsSpan(6), (ushort)0x301);
            question[HeaderLength] = Ipv6;
            var second = new byte[16];
            MemoryMarshal.Write(second, 1L);
            if (SetOption(socket, 1, 20, second, second.Length) != 0 || Send(socket, question, question.Length, 0) != question.Length)
            {
                return [];
            }

            var found = new List<(IPAddress Address, ulong Mac, int Interface)>();
            var answer = new byte[65_536];
            for (var i = 0; i < MostAnswers; i++)
            {
                var length = (int)Receive(socket, answer, answer.Length, 0);
                if (length <= 0 || Read(answer.AsSpan(0, length), found))
                {
                    break;
                }
            }

            return [.. found.Select(n => new Neighbour(n.Address, n.Mac, Name(n.Interface)))];
        }
        finally
        {
            _ = Close(socket);
        }
    }

    /// <summary>Reads one answer.</summary>
    /// <returns>True when it was the last.</returns>
    internal static bool Read(ReadOnlySpan<byte> answer, List<(IPAddress Address, ulong Mac, int Interface)> found)
    {
        while (answer.Length >= HeaderLength)
        {
            var length = MemoryMarshal.Read<uint>(answer);
            var type = MemoryMarshal.Read<ushort>(answer[4..]);
            if (length < HeaderLength || length > answer.Length || type is Done or Error)
            {
                return true;
            }

            if (type == NewNeighbour && length >= HeaderLength + MessageLength && answer[HeaderLength] == Ipv6)
            {
                Take(MemoryMarshal.Read<int>(answer[(HeaderLength + 4)..]), answer[(HeaderLength + MessageLength)..(int)length], found);
            }

            answer = answer[Math.Min(answer.Length, Padded((int)length))..];
        }

        return false;
    }

    private static void Take(int at, ReadOnlySpan<byte> attributes, List<(IPAddress Address, ulong Mac, int Interface)> found)
    {
        IPAddress? address = null;
        ulong mac = 0;
        while (attributes.Length >= AttributeLength)
        {
            int length = MemoryMarshal.Read<ushort>(attributes);
            if (length < AttributeLength || length > attributes.Length)
            {
                return;
            }

            var value = attributes[AttributeLength..length];
            switch (MemoryMarshal.Read<ushort>(attributes[2..]))
            {
                case 1 when value.Length == 16:
                    address = new IPAddress(value);
                    break;
                case 2 when value.Length == 6:
                    mac = ((ulong)BinaryPrimitives.ReadUInt16BigEndian(value) << 32) | BinaryPrimitives.ReadUInt32BigEndian(value[2..]);
                    break;
            }

            attributes = attributes[Math.Min(attributes.Length, Padded(length))..];
        }

        if (address is not null && mac != 0)
        {
            found.Add((address, mac, at));
        }
    }

    /// <summary>The name of an interface; empty for one that is gone by now.</summary>
    private static string Name(int at)
    {
        var name = new byte[NameLength];
        return IndexToName((uint)at, name) == 0 ? "" : Encoding.UTF8.GetString(name, 0, Array.IndexOf(name, (byte)0));
    }

    private static int Padded(int length) => (length + 3) & ~3;

    [DllImport("libc", EntryPoint = "socket", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Socket(int family, int type, int protocol);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int socket);

    [DllImport("libc", EntryPoint = "setsockopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetOption(int socket, int level, int name, byte[] value, int length);

    [DllImport("libc", EntryPoint = "send")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Send(int socket, byte[] bytes, nint length, int flags);

    [DllImport("libc", EntryPoint = "recv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Receive(int socket, byte[] bytes, nint length, int flags);

    [DllImport("libc", EntryPoint = "if_indextoname")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint IndexToName(uint at, byte[] name);
}
