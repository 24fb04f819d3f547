using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;

namespace Sekisho.Verification.Rows;

/// <summary>
/// A registered device of a play. It behaves as a sensible one does: keeps its token, fetches another when told that it expired, counts its readings.
/// One task at a time.
/// </summary>
internal sealed class Unit(Scene scene, SimulatedDevice device, string id, string? mode) : IDisposable
{
    /// <summary>The device that speaks to the gateway.</summary>
    public SimulatedDevice Device => device;

    /// <summary>Device identifier.</summary>
    public string Id => id;

    /// <summary>Operating mode that readings state; null for none.</summary>
    public string? Mode { get; set; } = mode;

    /// <summary>Sequence of the last reading.</summary>
    public long Sequence { get; set; }

    /// <summary>Further text in each payload; markers are put here.</summary>
    public string? Note { get; set; }

    /// <summary>How often it says that it tried; 0 for saying nothing.</summary>
    public int Retries { get; set; }

    /// <summary>Fetches a token.</summary>
    public Task<DeviceAnswer> SignInAsync() => device.AuthenticateAsync();

    /// <summary>Fetches a token, which is no part of what is shown: it must be given.</summary>
    public async Task<Unit> SignedInAsync()
    {
        var answer = await SignInAsync().ConfigureAwait(false);
        return answer.Status == 200 ? this : throw new InvalidOperationException($"{id} got no token: {answer.Status} {answer.Body}");
    }

    /// <summary>Takes a reading and sends it.</summary>
    public Task<DeviceAnswer> ReadAsync() => SendAsync(Reading(scene.Now));

    /// <summary>Takes readings and sends each, with that much time between them.</summary>
    public async Task ReadEveryAsync(TimeSpan interval, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (i > 0)
            {
                await scene.WaitAsync(interval).ConfigureAwait(false);
            }

            await ReadAsync().ConfigureAwait(false);
        }
    }

    /// <summary>A reading taken at that time, with the next sequence.</summary>
    public string Reading(DateTimeOffset taken) => Reading(taken, ++Sequence);

    /// <summary>A reading with that sequence.</summary>
    public string Reading(DateTimeOffset taken, long sequence)
    {
        var reading = new JsonObject { ["time"] = taken.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture), ["seq"] = sequence };
        if (Mode is not null)
        {
            reading["mode"] = Mode;
        }

        foreach (var (name, value) in Measured(sequence))
        {
            reading[name] = value;
        }

        if (Retries > 0)
        {
            reading["retries"] = Retries;
        }

        if (Note is not null)
        {
            reading["note"] = Note;
        }

        return reading.ToJsonString();
    }

    /// <summary>Sends; fetches another token when told that the present one expired.</summary>
    public async Task<DeviceAnswer> SendAsync(string json)
    {
        var answer = await device.SendAsync(json).ConfigureAwait(false);
        if (answer.Problem != "token-expired")
        {
            return answer;
        }

        await device.AuthenticateAsync().ConfigureAwait(false);
        return await device.SendAsync(json).ConfigureAwait(false);
    }

    /// <summary>The same device, token included, at another address: what moved, or what was copied.</summary>
    public Unit At(IPAddress address, string? client = null) =>
        new(scene, scene.Connect(device.Credential, address, client ?? device.Line.Client, device), id, Mode) { Sequence = Sequence, Note = Note };

    public void Dispose() => device.Dispose();

    // What differs from reading to reading, so that nothing looks stuck or repeated.
    private IEnumerable<(string Name, JsonNode Value)> Measured(long sequence) => scene.Field switch
    {
        "car-mobility" => [("speed", Mode == "off" ? 0 : 30 + (sequence * 7 % 23)), ("voltage", Math.Round(12.4 + (sequence * 13 % 11 / 20.0), 2))],
        "smart-home" => [("temperature", Math.Round(20.5 + (sequence * 5 % 17 / 10.0), 1)), ("humidity", 41 + (sequence * 3 % 13))],
        _ => [("page", 1 + (sequence * 7 % 61)), ("score", 50 + (sequence * 11 % 47))],
    };
}
