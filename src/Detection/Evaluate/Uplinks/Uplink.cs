using System.IO.Compression;
using System.Text.Json;

namespace Sekisho.Detection.Evaluate.Uplinks;

/// <summary>One recorded message.</summary>
/// <param name="Device">Device.</param>
/// <param name="Kind">Kind of device.</param>
/// <param name="At">Arrival, Unix milliseconds.</param>
/// <param name="Taken">Time that the device's clock claims, Unix milliseconds.</param>
/// <param name="Bytes">Payload.</param>
/// <param name="Networks">Gateways that heard it.</param>
internal sealed record Uplink(string Device, string Kind, long At, long Taken, int Bytes, IReadOnlyList<string> Networks);

/// <summary>Reads uplinks as ChirpStack writes them, one JSON object a line, gzipped; other events in the file are skipped.</summary>
internal static class UplinkFile
{
    public static IReadOnlyList<Uplink> Read(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        var result = new List<Uplink>();
        while (reader.ReadLine() is { } line)
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (!root.TryGetProperty("rxInfo", out var heard) || !root.TryGetProperty("data", out var data) || data.GetString() is not { } payload)
            {
                continue;
            }

            var device = root.GetProperty("deviceInfo");
            var at = root.GetProperty("time").GetDateTimeOffset().ToUnixTimeMilliseconds();
            result.Add(new Uplink(
                device.GetProperty("devEui").GetString()!,
                device.GetProperty("deviceProfileName").GetString()!,
                at,
                at,
                Convert.FromBase64String(payload).Length,
                [.. heard.EnumerateArray().Select(h => h.GetProperty("gatewayId").GetString()!).Distinct()]));
        }

        return [.. result.OrderBy(u => u.At)];
    }
}
