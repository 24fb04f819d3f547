using System.Runtime.CompilerServices;

namespace Sekisho.Traffic.Tables;

/// <summary>Hashes by the wide product of two words, as wyhash does. The seed keeps strangers from choosing addresses that meet in one place.</summary>
internal static class Hash
{
    private const ulong P0 = 0x9E37_79B9_7F4A_7C15;
    private const ulong P1 = 0xE703_7ED1_A0B4_28DB;
    private const ulong P2 = 0x8EBC_6AF0_9C88_C6E3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ulong seed, ulong a, ulong b, ulong c, ulong d, ulong e) =>
        Mix(Mix(a ^ seed ^ P0, b ^ P1) ^ e, Mix(c ^ P2, d ^ seed) ^ P1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ulong seed, ulong a, ulong b, ulong c) => Mix(Mix(a ^ seed ^ P0, b ^ P1) ^ c, P2 ^ seed);
}
