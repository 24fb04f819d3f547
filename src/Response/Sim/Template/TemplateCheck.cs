using Sekisho.Response.Sim.Carriers;

namespace Sekisho.Response.Sim.Template;

/// <summary>A fault of a template.</summary>
/// <param name="Place">JSON pointer below the template.</param>
/// <param name="Key">Text sim.template.KEY.</param>
/// <param name="Value">What stands in its place {value}.</param>
internal sealed record TemplateFault(string Place, string Key, string Value = "");

/// <summary>Finds all that is wrong with a template before it is used. Pure.</summary>
internal static class TemplateCheck
{
    public const int MostCalls = 10;
    public const int LongestText = 2000;
    public const int MostEntries = 30;

    private static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH"];
    private static readonly string[] Times = ["unix-seconds", "unix-milliseconds", "iso-8601"];

    // A response may never end a contract: that cannot be undone.
    private static readonly string[] Forbidden = ["terminat", "delete", "解約"];

    // Who sets these could send the request elsewhere or cut it in two.
    private static readonly string[] ForbiddenHeaders = ["host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer", "proxy-authorization"];

    public static IReadOnlyList<TemplateFault> Check(SimTemplate? template, IReadOnlyCollection<string> secrets)
    {
        if (template is null)
        {
            return [new("", "missing")];
        }

        var faults = new List<TemplateFault>();
        foreach (var (place, call) in new[] { ("/status", template.Status), ("/suspend", template.Suspend), ("/activate", template.Activate) })
        {
            if (call is null)
            {
                faults.Add(new(place, "call-missing"));
            }
        }

        foreach (var kind in template.Find?.Keys.Where(k => k is not (SimNames.Iccid or SimNames.Imsi)) ?? [])
        {
            faults.Add(new("/find/" + kind, "find-kind", kind));
        }

        foreach (var kind in template.Find?.Where(f => f.Value is null).Select(f => f.Key) ?? [])
        {
            faults.Add(new("/find/" + kind, "call-missing"));
        }

        foreach (var (word, state) in template.States ?? new Dictionary<string, string>())
        {
            if (!SimStates.All.Contains(state))
            {
                faults.Add(new("/states/" + word, "state", string.Join(", ", SimStates.All)));
            }
        }

        foreach (var needed in new[] { SimStates.Active, SimStates.Suspended }.Where(s => template.States?.Values.Contains(s) != true))
        {
            faults.Add(new("/states", "state-missing", needed));
        }

        if (template.Traffic is not null && !Times.Contains(template.Times))
        {
            faults.Add(new("/times", "times", string.Join(", ", Times)));
        }

        if (template.States?.Count > MostEntries || template.Headers?.Count > MostEntries || template.Calls().Count() > MostCalls)
        {
            faults.Add(new("", "too-much"));
        }

        var always = secrets.Select(s => "secret." + s).ToHashSet(StringComparer.Ordinal);
        var login = template.Login?.Read?.Keys.Where(k => k != "expiresIn").Select(k => "login." + k) ?? [];
        Headers("/headers", template.Headers, [.. always, .. login], faults);
        foreach (var (place, call) in template.Calls())
        {
            Call(place, call, Known(place, always, login), faults);
        }

        return faults;
    }

    private static HashSet<string> Known(string place, HashSet<string> always, IEnumerable<string> login) => place switch
    {
        "/login" => always,
        "/traffic" => [.. always, .. login, "sim", "from", "to"],
        _ => [.. always, .. login, place.StartsWith("/find/", StringComparison.Ordinal) ? "name" : "sim"],
    };

    private static void Call(string place, SimCall call, HashSet<string> known, List<TemplateFault> faults)
    {
        if (!Methods.Contains(call.Method))
        {
            faults.Add(new(place + "/method", "method", string.Join(", ", Methods)));
        }

        if (!IsPath(call.Path))
        {
            faults.Add(new(place + "/path", "path"));
        }
        else
        {
            Text(place + "/path", call.Path!, known, faults);
        }

        Headers(place + "/headers", call.Headers, known, faults);
        if (call.Body is { } body)
        {
            if (call.Method == "GET" || body.GetRawText().Length > LongestText)
            {
                faults.Add(new(place + "/body", "body"));
            }

            foreach (var text in TemplateText.TextsOf(body))
            {
                Text(place + "/body", text, known, faults);
            }
        }

        if (Forbidden.Any(f => (call.Path + call.Body?.GetRawText()).Contains(f, StringComparison.OrdinalIgnoreCase)))
        {
            faults.Add(new(place, "ends-contract"));
        }

        Reads(place, call, faults);
    }

    private static void Reads(string place, SimCall call, List<TemplateFault> faults)
    {
        (string[] Needed, string[] Allowed)? reads = place switch
        {
            "/status" => (["state"], ["state", "online", "address", "cell", "iccid", "imsi"]),
            "/traffic" => (call.Read?.ContainsKey("items") == true ? ["items", "at", "up", "down"] : ["up", "down"], ["items", "at", "up", "down"]),
            "/login" => null,
            _ when place.StartsWith("/find/", StringComparison.Ordinal) => (["sim"], ["sim"]),
            _ => ([], []),
        };
        foreach (var needed in (reads?.Needed ?? []).Where(n => call.Read?.ContainsKey(n) != true))
        {
            faults.Add(new(place + "/read", "read-missing", needed));
        }

        foreach (var (name, path) in call.Read ?? new Dictionary<string, string>())
        {
            if ((reads is { } some && !some.Allowed.Contains(name)) || name.Length is 0 or > 40 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            {
                faults.Add(new($"{place}/read/{name}", "read-name", string.Join(", ", reads?.Allowed ?? [])));
            }

            if (JsonPath.Parse(path) is null)
            {
                faults.Add(new($"{place}/read/{name}", "json-path"));
            }
        }
    }

    private static void Headers(string place, IReadOnlyDictionary<string, string>? headers, HashSet<string> known, List<TemplateFault> faults)
    {
        foreach (var (name, value) in headers ?? new Dictionary<string, string>())
        {
            if (name.Length is 0 or > 60 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') || ForbiddenHeaders.Contains(name.ToLowerInvariant()) || value is null || !value.All(c => c is >= ' ' and <= '~'))
            {
                faults.Add(new($"{place}/{name}", "header"));
                continue;
            }

            Text($"{place}/{name}", value, known, faults);
        }
    }

    private static void Text(string place, string text, HashSet<string> known, List<TemplateFault> faults)
    {
        if (text.Length > LongestText || TemplateText.Places(text) is not { } places)
        {
            faults.Add(new(place, "text"));
            return;
        }

        foreach (var unknown in places.Where(p => !known.Contains(p)))
        {
            faults.Add(new(place, "place", unknown));
        }

        // Addresses are written to logs on the way; secrets travel in headers and bodies.
        if (place.EndsWith("/path", StringComparison.Ordinal) && places.Any(p => p.StartsWith("secret.", StringComparison.Ordinal) || p.StartsWith("login.", StringComparison.Ordinal)))
        {
            faults.Add(new(place, "secret-in-path"));
        }
    }

    private static bool IsPath(string? path) =>
        path is { Length: > 0 and <= LongestText } && path[0] == '/' && !path.StartsWith("//", StringComparison.Ordinal)
        && path.All(c => c is > ' ' and <= '~' && c is not ('\\' or '#' or '@')) && !path.Contains("..", StringComparison.Ordinal);
}
