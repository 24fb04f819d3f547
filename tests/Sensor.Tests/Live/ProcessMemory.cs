using System.Globalization;

namespace Sekisho.Sensor.Tests.Live;

/// <summary>Looks for bytes in the memory of another process.</summary>
internal static class ProcessMemory
{
    private const int Step = 1 << 20;

    /// <summary>Names of the mappings that hold the bytes. Memory that is shared with a packet socket is named "socket:[N]".</summary>
    public static IReadOnlyList<string> Holding(int process, ReadOnlySpan<byte> bytes)
    {
        var found = new List<string>();
        var buffer = new byte[Step + bytes.Length];
        using var memory = File.OpenHandle($"/proc/{process}/mem");
        foreach (var line in File.ReadLines($"/proc/{process}/maps"))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var name = words.Length > 5 ? words[5] : "";
            if (words[1][0] != 'r' || name is "[vsyscall]" or "[vvar]" or "[vvar_vclock]")
            {
                continue;
            }

            var bounds = words[0].Split('-').Select(b => long.Parse(b, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)).ToArray();
            for (var at = bounds[0]; at < bounds[1]; at += Step)
            {
                var read = RandomAccess.Read(memory, buffer.AsSpan(0, (int)Math.Min(buffer.Length, bounds[1] - at)), at);
                if (buffer.AsSpan(0, read).IndexOf(bytes) >= 0)
                {
                    found.Add(name);
                    break;
                }
            }
        }

        return found;
    }
}
