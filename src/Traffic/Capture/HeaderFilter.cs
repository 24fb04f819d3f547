using System.Runtime.InteropServices;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Capture;

/// <summary>
/// The program that the kernel runs on each frame before it copies it into the ring; its result is how many bytes are copied.
/// Every frame passes. Of plain TCP, UDP and ICMP over IPv4 and IPv6 on Ethernet, untagged or with one tag that the kernel left in place, the headers are copied and no byte of payload;
/// of all else the first <c>snapLength</c> bytes. No load lies outside a frame, for that would refuse the frame.
/// Classic BPF: Linux, Documentation/networking/filter.rst.
/// </summary>
internal static class HeaderFilter
{
    private const ushort LoadLength = 0x80;
    private const ushort LoadHalf = 0x28;
    private const ushort LoadByte = 0x30;
    private const ushort LoadHalfIndexed = 0x48;
    private const ushort LoadByteIndexed = 0x50;
    private const ushort LoadHeaderLength = 0xB1;
    private const ushort JumpEqual = 0x15;
    private const ushort JumpAtLeast = 0x35;
    private const ushort JumpAnySet = 0x45;
    private const ushort JumpAtLeastIndex = 0x3D;
    private const ushort TakeIndex = 0x87;
    private const ushort LoadConstant = 0x00;
    private const ushort SubtractIndex = 0x1C;
    private const ushort AddIndex = 0x0C;
    private const ushort AddConstant = 0x04;
    private const ushort ShiftRight = 0x74;
    private const ushort And = 0x54;
    private const ushort ReturnConstant = 0x06;
    private const ushort ReturnAccumulator = 0x16;

    /// <summary>Keeps the first bytes of each frame.</summary>
    internal static Instruction[] Cut(int snapLength) => [new(ReturnConstant, 0, 0, (uint)snapLength)];

    /// <summary>Keeps the headers of each Ethernet frame.</summary>
    internal static Instruction[] Ethernet(int snapLength)
    {
        var program = new Builder();
        program.Add(LoadLength);
        program.JumpUnless(JumpAtLeast, 14, "snap");
        program.Add(LoadHalf, 12);
        program.JumpIf(JumpEqual, EtherTypes.IPv4, "four");
        program.JumpIf(JumpEqual, EtherTypes.IPv6, "six");
        program.JumpIf(JumpEqual, EtherTypes.Vlan, "tagged");
        program.JumpUnless(JumpEqual, 0x88A8, "snap");
        program.Label("tagged");
        program.Add(LoadLength);
        program.JumpUnless(JumpAtLeast, 18, "snap");
        program.Add(LoadHalf, 16);
        program.JumpIf(JumpEqual, EtherTypes.IPv4, "taggedfour");
        program.JumpIf(JumpEqual, EtherTypes.IPv6, "taggedsix");
        program.Return(snapLength);
        IPv4(program, "four", 14);
        program.Label("snap");
        program.Return(snapLength);
        IPv6(program, "six", 14, snapLength);
        IPv4(program, "taggedfour", 18, snapLength);
        IPv6(program, "taggedsix", 18, snapLength);
        return program.Build();
    }

    private static void IPv4(Builder program, string label, uint begin, int? snapLength = null)
    {
        var snap = snapLength is null ? "snap" : label + "snap";
        program.Label(label);
        program.Add(LoadLength);
        program.JumpUnless(JumpAtLeast, begin + 20, snap);
        program.Add(LoadHeaderLength, begin);
        program.Add(TakeIndex);
        program.JumpUnless(JumpAtLeast, 20, snap);
        program.Add(LoadLength);
        program.JumpUnless(JumpAtLeastIndex, 0, snap);
        program.Add(SubtractIndex);
        program.JumpUnless(JumpAtLeast, begin + 8, snap);
        program.Add(LoadHalf, begin + 6);
        program.JumpIf(JumpAnySet, 0x1FFF, label + "bare");
        program.Add(LoadByte, begin + 9);
        program.JumpIf(JumpEqual, 6, label + "tcp");
        program.JumpIf(JumpEqual, 1, label + "eight");
        program.JumpUnless(JumpEqual, 17, snap);
        program.Add(LoadHalfIndexed, begin + 2);
        foreach (var port in Tunnels.UdpPorts)
        {
            program.JumpIf(JumpEqual, port, snap);
        }

        program.Label(label + "eight");
        program.Add(LoadConstant, begin + 8);
        program.Add(AddIndex);
        program.Add(ReturnAccumulator);
        program.Label(label + "bare");
        program.Add(LoadConstant, begin);
        program.Add(AddIndex);
        program.Add(ReturnAccumulator);
        program.Label(label + "tcp");
        program.Add(LoadLength);
        program.Add(SubtractIndex);
        program.JumpUnless(JumpAtLeast, begin + 20, snap);
        program.Add(LoadByteIndexed, begin + 12);
        program.Add(ShiftRight, 2);
        program.Add(And, 0x3C);
        program.JumpUnless(JumpAtLeast, 20, snap);
        program.Add(AddIndex);
        program.Add(AddConstant, begin);
        program.Add(ReturnAccumulator);
        if (snapLength is { } length)
        {
            program.Label(snap);
            program.Return(length);
        }
    }

    private static void IPv6(Builder program, string label, uint begin, int snapLength)
    {
        var upper = begin + 40;
        program.Label(label);
        program.Add(LoadLength);
        program.JumpUnless(JumpAtLeast, upper + 8, label + "snap");
        program.Add(LoadByte, begin + 6);
        program.JumpIf(JumpEqual, 6, label + "tcp");
        program.JumpIf(JumpEqual, 58, label + "eight");
        program.JumpUnless(JumpEqual, 17, label + "snap");
        program.Add(LoadHalf, upper + 2);
        foreach (var port in Tunnels.UdpPorts)
        {
            program.JumpIf(JumpEqual, port, label + "snap");
        }

        program.Label(label + "eight");
        program.Return((int)upper + 8);
        program.Label(label + "tcp");
        program.Add(LoadLength);
        program.JumpUnless(JumpAtLeast, upper + 20, label + "snap");
        program.Add(LoadByte, upper + 12);
        program.Add(ShiftRight, 2);
        program.Add(And, 0x3C);
        program.JumpUnless(JumpAtLeast, 20, label + "snap");
        program.Add(AddConstant, upper);
        program.Add(ReturnAccumulator);
        program.Label(label + "snap");
        program.Return(snapLength);
    }

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Instruction(ushort Code, byte JumpTrue, byte JumpFalse, uint Value);

    /// <summary>Puts names for jump targets; all jumps go forward.</summary>
    private sealed class Builder
    {
        private readonly List<(ushort Code, uint Value, string? IfTrue, string? IfFalse)> _lines = [];
        private readonly Dictionary<string, int> _labels = [];

        internal void Label(string name) => _labels.Add(name, _lines.Count);

        internal void Add(ushort code, uint value = 0) => _lines.Add((code, value, null, null));

        internal void Return(int value) => Add(ReturnConstant, (uint)value);

        internal void JumpIf(ushort code, uint value, string target) => _lines.Add((code, value, target, null));

        internal void JumpUnless(ushort code, uint value, string target) => _lines.Add((code, value, null, target));

        internal Instruction[] Build()
        {
            var program = new Instruction[_lines.Count];
            for (var i = 0; i < program.Length; i++)
            {
                var (code, value, ifTrue, ifFalse) = _lines[i];
                program[i] = new(code, Distance(i, ifTrue), Distance(i, ifFalse), value);
            }

            return program;
        }

        private byte Distance(int from, string? target) => target is null ? (byte)0 : checked((byte)(_labels[target] - from - 1));
    }
}
