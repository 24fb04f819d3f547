using System.Text.Json;

namespace Sekisho.Response.Sim.Template;

/// <summary>
/// A carrier's HTTP API, described by data: what to send for each operation and where in the answer the values stand. Texts may have places:
/// {secret.NAME}, {login.NAME}, {sim} (the carrier's identifier), {name} (find only), {from} and {to} (traffic only).
/// </summary>
internal sealed record SimTemplate
{
    /// <summary>Sent with every request but the sign-in.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Sign-in; what it reads stands as {login.NAME}, "expiresIn" (seconds) says how long it holds, else an hour. Null when the secrets go with each request.</summary>
    public SimCall? Login { get; init; }

    /// <summary>Finds a SIM by name: reads "sim". By kind of name: "iccid", "imsi". Null: SIMs are named by the carrier's identifier.</summary>
    public IReadOnlyDictionary<string, SimCall>? Find { get; init; }

    /// <summary>Reads "state", and where it is told "online", "address", "cell", "iccid", "imsi".</summary>
    public SimCall? Status { get; init; }

    public SimCall? Suspend { get; init; }

    public SimCall? Deactivate { get; init; }

    public SimCall? Activate { get; init; }

    /// <summary>Reads "up" and "down" of the whole period, or of each of "items", whose begin is "at".</summary>
    public SimCall? Traffic { get; init; }

    /// <summary>The carrier's words for states, and which of ours they are.</summary>
    public IReadOnlyDictionary<string, string>? States { get; init; }

    /// <summary>How times are written: "unix-seconds", "unix-milliseconds" or "iso-8601".</summary>
    public string? Times { get; init; }

    /// <summary>All calls there are, with their place in the document.</summary>
    public IEnumerable<(string Place, SimCall Call)> Calls()
    {
        foreach (var (place, call) in new[] { ("/login", Login), ("/status", Status), ("/suspend", Suspend), ("/deactivate", Deactivate), ("/activate", Activate), ("/traffic", Traffic) })
        {
            if (call is not null)
            {
                yield return (place, call);
            }
        }

        foreach (var (kind, call) in Find ?? new Dictionary<string, SimCall>())
        {
            if (call is not null)
            {
                yield return ("/find/" + kind, call);
            }
        }
    }
}

/// <summary>One request.</summary>
internal sealed record SimCall
{
    /// <summary>GET, POST, PUT or PATCH.</summary>
    public string? Method { get; init; }

    /// <summary>Path and query behind the base address, beginning with "/"; what is put into places is escaped.</summary>
    public string? Path { get; init; }

    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>JSON with places in its texts; null for no body.</summary>
    public JsonElement? Body { get; init; }

    /// <summary>Name of a value and its path in the answer ("$.sim.status", "$.items[0].id").</summary>
    public IReadOnlyDictionary<string, string>? Read { get; init; }
}
