using System.Numerics;
using System.Runtime.InteropServices;

namespace Sekisho.Traffic.Devices;

/// <summary>How many different values were added: exact up to 32, then a HyperLogLog of 128 registers in the same 128 bytes (Flajolet et al. 2007; standard error 9 %, small counts by linear counting).</summary>
/// <remarks>Values are 32 bits of a hash; that two of 33 meet in one has a probability of 10^-7.</remarks>
[StructLayout(LayoutKind.Sequential, Size = 132)]
internal unsafe struct DistinctCount
{
    public const int Exact = 32;

    private const int Registers = 128;
    private const int IndexBits = 7;
    private const int Estimating = Exact + 1;

    private fixed uint _values[Exact];
    private int _count;

    public void Add(uint hash)
    {
        fixed (uint* values = _values)
        {
            if (_count == Estimating)
            {
                Register((byte*)values, hash);
                return;
            }

            if (new ReadOnlySpan<uint>(values, _count).Contains(hash))
            {
                return;
            }

            if (_count < Exact)
            {
                values[_count++] = hash;
                return;
            }

            var known = stackalloc uint[Exact];
            new Span<uint>(values, Exact).CopyTo(new Span<uint>(known, Exact));
            new Span<uint>(values, Exact).Clear();
            for (var i = 0; i < Exact; i++)
            {
                Register((byte*)values, known[i]);
            }

            Register((byte*)values, hash);
            _count = Estimating;
        }
    }

    public readonly int Estimate()
    {
        if (_count <= Exact)
        {
            return _count;
        }

        var sum = 0.0;
        var empty = 0;
        fixed (uint* values = _values)
        {
            for (var i = 0; i < Registers; i++)
            {
                var rank = ((byte*)values)[i];
                empty += rank == 0 ? 1 : 0;
                sum += 1.0 / (1UL << rank);
            }
        }

        const double alpha = 0.7213 / (1 + (1.079 / Registers));
        var estimate = alpha * Registers * Registers / sum;
        if (estimate <= 2.5 * Registers && empty > 0)
        {
            estimate = Registers * Math.Log(Registers / (double)empty);
        }

        return Math.Max(Estimating, (int)Math.Round(estimate));
    }

    private static void Register(byte* registers, uint hash)
    {
        var rank = (byte)(BitOperations.LeadingZeroCount((hash << IndexBits) | (1u << (IndexBits - 1))) + 1);
        var register = registers + (hash >> (32 - IndexBits));
        *register = Math.Max(*register, rank);
    }
}
