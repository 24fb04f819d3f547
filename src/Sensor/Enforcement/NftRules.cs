using System.Globalization;
using System.Text.Json;
using static Sekisho.Sensor.Enforcement.NftJson;

namespace Sekisho.Sensor.Enforcement;

/// <summary>What the kernel has of the enforcer's table.</summary>
/// <param name="Rules">How many rules; fewer than there should be when somebody took some away.</param>
/// <param name="Elements">The elements, and for how many seconds each is still there.</param>
internal sealed record NftState(int Rules, IReadOnlyDictionary<SetElement, long> Elements);

/// <summary>
/// The enforcer's table as nft takes and tells it (libnftables-json). One table, its own, for what is routed ("inet") and one for what is bridged
/// ("bridge"); nothing of anybody else is touched. The rules stand before others (priority −10) and ask for no state of connections, so that
/// connections which stand already are cut as well; what passes here is still judged by every other table. Pure.
/// </summary>
internal static class NftRules
{
    public const string Table = "sekisho";
    public const string Routed = "inet";
    public const string Bridged = "bridge";

    /// <summary>No set holds anything for longer, whatever the clock says.</summary>
    public const long LongestSeconds = 7 * 86_400;

    private const string Judge = "judge";

    // An element whose end is this near to the wanted one is left as it is.
    private const long Slack = 2;

    private static readonly string s_accept = Object(("accept", Null));
    private static readonly string[] s_hooks = ["forward", "input"];

    private static readonly (string Name, string[] Types)[] s_sets =
    [
        ("blocked_mac", ["ether_addr"]), ("blocked4", ["ipv4_addr"]), ("blocked6", ["ipv6_addr"]),
        ("quarantined_mac", ["ether_addr"]), ("quarantined4", ["ipv4_addr"]), ("quarantined6", ["ipv6_addr"]),
        ("reach_mac4", ["ether_addr", "ipv4_addr", "inet_proto", "inet_service"]), ("reach_mac6", ["ether_addr", "ipv6_addr", "inet_proto", "inet_service"]),
        ("reach4", ["ipv4_addr", "ipv4_addr", "inet_proto", "inet_service"]), ("reach6", ["ipv6_addr", "ipv6_addr", "inet_proto", "inet_service"]),
    ];

    /// <summary>How many rules the table of a family has.</summary>
    public static int RuleCount(string family) => Judgements(family).Count + s_hooks.Length;

    /// <summary>Makes table, sets, chains and rules, or puts right what somebody changed of the chains; elements stay. With the changes of elements it is one transaction.</summary>
    public static string Transaction(string family, bool setUp, IReadOnlyDictionary<SetElement, long> current, IReadOnlyDictionary<SetElement, DateTimeOffset> wanted, DateTimeOffset now)
    {
        var commands = new List<string>();
        if (setUp)
        {
            SetUp(family, commands);
        }

        foreach (var gone in current.Keys.Where(e => !wanted.ContainsKey(e)))
        {
            // It may end by itself between the look and the change, and what is not there cannot be deleted: so it is put there first.
            commands.Add(Element("add", family, gone, 1));
            commands.Add(Element("delete", family, gone, null));
        }

        foreach (var (element, until) in wanted)
        {
            var seconds = Math.Clamp((long)Math.Ceiling((until - now).TotalSeconds), 1, LongestSeconds);
            if (current.TryGetValue(element, out var left) && Math.Abs(left - seconds) <= Slack)
            {
                continue;
            }

            // Older kernels do not refresh the time of an element that is there.
            commands.Add(Element("add", family, element, 1));
            commands.Add(Element("delete", family, element, null));
            commands.Add(Element("add", family, element, seconds));
        }

        return commands.Count == 0 ? "" : Object(("nftables", List(commands)));
    }

    /// <summary>Takes the table away.</summary>
    public static string Removal(string family)
    {
        var table = Object(("table", Object(("family", Text(family)), ("name", Text(Table)))));
        return Object(("nftables", List(Object(("add", table)), Object(("delete", table)))));
    }

    /// <summary>Reads what nft lists of the table.</summary>
    /// <exception cref="JsonException">It is no list of nft.</exception>
    public static NftState Read(string list)
    {
        using var document = JsonDocument.Parse(list);
        var (rules, elements) = (0, new Dictionary<SetElement, long>());
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("nftables", out var items) || items.ValueKind != JsonValueKind.Array)
        {
            throw new JsonException("nft lists nothing.");
        }

        foreach (var item in items.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.Object))
        {
            if (item.TryGetProperty("rule", out _))
            {
                rules++;
            }
            else if (item.TryGetProperty("set", out var set) && set.TryGetProperty("name", out var name) && set.TryGetProperty("elem", out var all) && all.ValueKind == JsonValueKind.Array)
            {
                foreach (var entry in all.EnumerateArray())
                {
                    // An element without a time is none of ours: it shows as wanted for ever, and goes.
                    var inner = entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("elem", out var e) ? e : entry;
                    var value = inner.ValueKind == JsonValueKind.Object && inner.TryGetProperty("val", out var v) ? v : inner;
                    var left = inner.ValueKind == JsonValueKind.Object && inner.TryGetProperty("expires", out var x) && x.TryGetInt64(out var seconds) ? seconds : long.MaxValue / 2;
                    elements[new SetElement(name.GetString() ?? "", Key(value))] = left;
                }
            }
        }

        return new NftState(rules, elements);
    }

    private static string Key(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("concat", out var parts) && parts.ValueKind == JsonValueKind.Array)
        {
            return string.Join(' ', parts.EnumerateArray().Select(Part));
        }

        return Part(value);
    }

    private static string Part(JsonElement value) => SetElement.Canonical(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());

    private static void SetUp(string family, List<string> commands)
    {
        (string, string)[] own = [("family", Text(family)), ("table", Text(Table))];
        commands.Add(Command("add", "table", ("family", Text(family)), ("name", Text(Table))));
        foreach (var (name, types) in s_sets)
        {
            commands.Add(Command("add", "set", [.. own, ("name", Text(name)), ("type", types.Length == 1 ? Text(types[0]) : List(types.Select(Text))), ("flags", List(Text("timeout")))]));
        }

        commands.Add(Command("add", "chain", [.. own, ("name", Text(Judge))]));
        foreach (var hook in s_hooks)
        {
            commands.Add(Command("add", "chain", [.. own, ("name", Text(hook)), ("type", Text("filter")), ("hook", Text(hook)), ("prio", Number(-10)), ("policy", Text("accept"))]));
        }

        foreach (var name in (string[])[Judge, .. s_hooks])
        {
            commands.Add(Command("flush", "chain", [.. own, ("name", Text(name))]));
        }

        foreach (var rule in Judgements(family))
        {
            commands.Add(Command("add", "rule", [.. own, ("chain", Text(Judge)), ("expr", List(rule))]));
        }

        foreach (var hook in s_hooks)
        {
            commands.Add(Command("add", "rule", [.. own, ("chain", Text(hook)), ("expr", List(Object(("jump", Object(("target", Text(Judge)))))))]));
        }
    }

    /// <summary>The rules of the chain "judge", in order: who is blocked; what a quarantined device needs to have an address at all; what it may reach; who is quarantined.</summary>
    private static List<string[]> Judgements(string family)
    {
        var bridged = family == Bridged;
        var rules = new List<string[]>();
        Drops("blocked", bridged, rules);
        if (bridged)
        {
            rules.Add([Match(Object(("meta", Object(("key", Text("protocol"))))), Text("arp")), s_accept]);
        }

        string[] discovery = ["nd-neighbor-solicit", "nd-neighbor-advert", "nd-router-solicit", "nd-router-advert"];
        rules.Add([Match(Field("icmpv6", "type"), Object(("set", List(discovery.Select(Text))))), s_accept]);
        (int, int)[] dhcp = [(68, 67), (67, 68), (546, 547), (547, 546)];
        rules.Add([Match(Concat(Field("udp", "sport"), Field("udp", "dport")), Object(("set", List(dhcp.Select(p => Concat(Number(p.Item1), Number(p.Item2))))))), s_accept]);
        foreach (var (ip, digit) in (ReadOnlySpan<(string, string)>)[("ip", "4"), ("ip6", "6")])
        {
            rules.Add(Reach(Field("ether", "saddr"), Field(ip, "daddr"), "dport", "reach_mac" + digit));
            rules.Add(Reach(Field(ip, "saddr"), Field(ip, "daddr"), "dport", "reach" + digit));
            rules.Add(Reach(Field(ip, "daddr"), Field(ip, "saddr"), "sport", "reach" + digit));
            if (bridged)
            {
                rules.Add(Reach(Field("ether", "daddr"), Field(ip, "saddr"), "sport", "reach_mac" + digit));
            }
        }

        Drops("quarantined", bridged, rules);
        return rules;
    }

    private static void Drops(string kind, bool bridged, List<string[]> rules)
    {
        // What is routed to a device has the router's own MAC as its destination where it is judged.
        foreach (var (protocol, field, set) in (ReadOnlySpan<(string, string, string)>)[
            ("ether", "saddr", "_mac"), ("ether", "daddr", "_mac"), ("ip", "saddr", "4"), ("ip", "daddr", "4"), ("ip6", "saddr", "6"), ("ip6", "daddr", "6")])
        {
            if (bridged || (protocol, field) != ("ether", "daddr"))
            {
                rules.Add([Match(Field(protocol, field), Text("@" + kind + set)), Object(("counter", Null)), Object(("drop", Null))]);
            }
        }
    }

    private static string[] Reach(string device, string server, string port, string set) =>
        [Match(Concat(device, server, Object(("meta", Object(("key", Text("l4proto"))))), Field("th", port)), Text("@" + set)), s_accept];

    private static string Match(string left, string right) => Object(("match", Object(("op", Text("==")), ("left", left), ("right", right))));

    private static string Concat(params IEnumerable<string> parts) => Object(("concat", List(parts)));

    private static string Field(string protocol, string field) => Object(("payload", Object(("protocol", Text(protocol)), ("field", Text(field)))));

    private static string Command(string verb, string what, params IEnumerable<(string, string)> members) => Object((verb, Object((what, Object(members)))));

    private static string Element(string verb, string family, SetElement element, long? seconds)
    {
        var parts = element.Key.Split(' ').Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? Number(number) : Text(p)).ToList();
        var value = parts.Count == 1 ? parts[0] : Concat(parts);
        var item = seconds is { } timeout ? Object(("elem", Object(("val", value), ("timeout", Number(timeout))))) : value;
        return Command(verb, "element", ("family", Text(family)), ("table", Text(Table)), ("name", Text(element.Set)), ("elem", List(item)));
    }
}
