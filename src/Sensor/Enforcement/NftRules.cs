using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using static Sekisho.Sensor.Enforcement.NftJson;

namespace Sekisho.Sensor.Enforcement;

/// <summary>What the kernel has of the enforcer's table.</summary>
/// <param name="Marks">The mark of each rule; empty for one without. Fewer than there should be when somebody took some away.</param>
/// <param name="Elements">The elements, and for how many seconds each is still there.</param>
internal sealed record NftState(IReadOnlyList<string> Marks, IReadOnlyDictionary<SetElement, long> Elements);

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

    private const string Blocked = "blocked";
    private const string Judge = "judge";
    private const int MarkDigits = 16;

    // An element whose end is this near to the wanted one is left as it is.
    private const long Slack = 2;

    private static readonly string s_accept = Object(("accept", Null));
    private static readonly string[] s_hooks = ["forward", "input"];

    // What a device says in neighbour discovery; that a router is here is for others to say.
    private static readonly string[] s_discovery = ["nd-router-solicit", "nd-neighbor-solicit", "nd-neighbor-advert"];

    private static readonly (string Name, string[] Types)[] s_sets =
    [
        ("blocked_mac", ["ether_addr"]), ("blocked4", ["ipv4_addr"]), ("blocked6", ["ipv6_addr"]),
        ("quarantined_mac", ["ether_addr"]), ("quarantined4", ["ipv4_addr"]), ("quarantined6", ["ipv6_addr"]),
        ("reach_mac4", ["ether_addr", "ipv4_addr", "inet_proto", "inet_service"]), ("reach_mac6", ["ether_addr", "ipv6_addr", "inet_proto", "inet_service"]),
        ("reach4", ["ipv4_addr", "ipv4_addr", "inet_proto", "inet_service"]), ("reach6", ["ipv6_addr", "ipv6_addr", "inet_proto", "inet_service"]),
        ("near_mac6", ["ether_addr", "ipv6_addr"]), ("near6", ["ipv6_addr", "ipv6_addr"]),
    ];

    /// <summary>Whether the table has the rules of this version: as many as there should be, each with their mark. Another version's have another mark.</summary>
    public static bool IsSetUp(string family, NftState state)
    {
        var rules = Rules(family);
        return state.Marks.Count == rules.Count && state.Marks.All(m => m == Mark(rules));
    }

    /// <summary>Makes table, sets, chains and rules, or puts right what somebody changed of the chains; elements stay. With the changes of elements it is one transaction. What is wanted and over by this clock is left to the kernel's.</summary>
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

        foreach (var (element, until) in wanted.Where(w => w.Value > now))
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
        var (marks, elements) = (new List<string>(), new Dictionary<SetElement, long>());
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("nftables", out var items) || items.ValueKind != JsonValueKind.Array)
        {
            throw new JsonException("nft lists nothing.");
        }

        foreach (var item in items.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.Object))
        {
            if (item.TryGetProperty("rule", out var rule))
            {
                marks.Add(rule.ValueKind == JsonValueKind.Object && rule.TryGetProperty("comment", out var mark) && mark.ValueKind == JsonValueKind.String ? mark.GetString()! : "");
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

        return new NftState(marks, elements);
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

        string[] judges = [Blocked, Judge];
        foreach (var name in judges)
        {
            commands.Add(Command("add", "chain", [.. own, ("name", Text(name))]));
        }

        foreach (var hook in s_hooks)
        {
            commands.Add(Command("add", "chain", [.. own, ("name", Text(hook)), ("type", Text("filter")), ("hook", Text(hook)), ("prio", Number(-10)), ("policy", Text("accept"))]));
        }

        foreach (var name in (string[])[.. judges, .. s_hooks])
        {
            commands.Add(Command("flush", "chain", [.. own, ("name", Text(name))]));
        }

        var rules = Rules(family);
        var mark = Mark(rules);
        foreach (var (chain, rule) in rules)
        {
            commands.Add(Command("add", "rule", [.. own, ("chain", Text(chain)), ("expr", rule), ("comment", Text(mark))]));
        }
    }

    /// <summary>What marks these rules, and no others.</summary>
    private static string Mark(IEnumerable<(string Chain, string Rule)> rules) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', rules.Select(r => $"{r.Chain} {r.Rule}")))))[..MarkDigits];

    /// <summary>All rules, in order: at each hook who is blocked, what a quarantined device needs to have an address at all, what it may reach, who is quarantined.</summary>
    private static List<(string Chain, string Rule)> Rules(string family)
    {
        var bridged = family == Bridged;
        var rules = new List<(string, string)>();
        void Add(string chain, params string[] parts) => rules.Add((chain, List(parts)));

        Drops(Blocked, "blocked", bridged, rules);
        foreach (var hook in s_hooks)
        {
            Add(hook, Jump(Blocked));
            if (!bridged && hook == "input")
            {
                // The router itself is who routes, and DHCP's server or relay.
                Add(hook, Match(Field("icmpv6", "type"), Set(s_discovery.Select(Text))), Match(Field("ip6", "hoplimit"), Number(255)), s_accept);
                Add(hook, Ports((68, 67), (546, 547)), s_accept);
            }
            else
            {
                Needs(hook, bridged, Add);
            }

            Add(hook, Jump(Judge));
        }

        foreach (var (ip, digit) in (ReadOnlySpan<(string, string)>)[("ip", "4"), ("ip6", "6")])
        {
            Add(Judge, Reach(Field("ether", "saddr"), Field(ip, "daddr"), "dport", "reach_mac" + digit), s_accept);
            Add(Judge, Reach(Field(ip, "saddr"), Field(ip, "daddr"), "dport", "reach" + digit), s_accept);
            Add(Judge, Reach(Field(ip, "daddr"), Field(ip, "saddr"), "sport", "reach" + digit), s_accept);
            if (bridged)
            {
                Add(Judge, Reach(Field("ether", "daddr"), Field(ip, "saddr"), "sport", "reach_mac" + digit), s_accept);
            }
        }

        Drops(Judge, "quarantined", bridged, rules);
        return rules;
    }

    /// <summary>
    /// What a bridge lets through so that a quarantined device has an address and finds its neighbours: addresses that no router forwards, so that nothing
    /// beyond the segment is talked to in these words, and of the others only the services it may reach. Who answers it is not quarantined, so that it is
    /// no server to others. Kernels may show bridged frames to the rules for routed ones too, so these say the same: what is routed has a lower hop limit,
    /// and the router's own MAC as its destination.
    /// </summary>
    private static void Needs(string hook, bool bridged, Action<string, string[]> add)
    {
        if (bridged)
        {
            add(hook, [Match(Object(("meta", Object(("key", Text("protocol"))))), Text("arp")), s_accept]);
        }

        var near = Match(Field("ip6", "hoplimit"), Number(255));
        var discovery = Match(Field("icmpv6", "type"), Set(s_discovery.Select(Text)));
        string[] others = [Match(Field("ether", "saddr"), Text("@quarantined_mac"), "!="), Match(Field("ip6", "saddr"), Text("@quarantined6"), "!=")];
        add(hook, [discovery, near, Match(Field("ip6", "daddr"), Set(Prefix("fe80::", 10), Prefix("ff02::", 16))), s_accept]);
        add(hook, [discovery, near, Match(Concat(Field("ether", "saddr"), Field("ip6", "daddr")), Text("@near_mac6")), s_accept]);
        add(hook, [discovery, near, Match(Concat(Field("ip6", "saddr"), Field("ip6", "daddr")), Text("@near6")), s_accept]);
        add(hook, [Match(Field("icmpv6", "type"), Set([.. s_discovery.Select(Text), Text("nd-router-advert")])), near, .. others, s_accept]);

        // A device whose server does not answer its renewal asks all before its lease ends.
        add(hook, [Ports((68, 67)), Match(Field("ip", "daddr"), Text("255.255.255.255")), s_accept]);
        add(hook, [Ports((546, 547)), Match(Field("ip6", "daddr"), Text("ff02::1:2")), s_accept]);
        string[] unrouted = bridged ? [] : [Match(Field("ether", "daddr"), Text("@quarantined_mac"))];
        add(hook, [Ports((67, 68)), .. unrouted, others[0], Match(Field("ip", "saddr"), Text("@quarantined4"), "!="), s_accept]);
        add(hook, [Ports((547, 546)), Match(Field("ip6", "saddr"), Prefix("fe80::", 10)), .. others, s_accept]);
    }

    private static void Drops(string chain, string kind, bool bridged, List<(string Chain, string Rule)> rules)
    {
        // What is routed to a device has the router's own MAC as its destination where it is judged.
        foreach (var (protocol, field, set) in (ReadOnlySpan<(string, string, string)>)[
            ("ether", "saddr", "_mac"), ("ether", "daddr", "_mac"), ("ip", "saddr", "4"), ("ip", "daddr", "4"), ("ip6", "saddr", "6"), ("ip6", "daddr", "6")])
        {
            if (bridged || (protocol, field) != ("ether", "daddr"))
            {
                rules.Add((chain, List(Match(Field(protocol, field), Text("@" + kind + set)), Object(("counter", Null)), Object(("drop", Null)))));
            }
        }
    }

    private static string Reach(string device, string server, string port, string set) =>
        Match(Concat(device, server, Object(("meta", Object(("key", Text("l4proto"))))), Field("th", port)), Text("@" + set));

    private static string Ports(params IEnumerable<(int From, int To)> pairs) =>
        Match(Concat(Field("udp", "sport"), Field("udp", "dport")), Set(pairs.Select(p => Concat(Number(p.From), Number(p.To)))));

    private static string Jump(string chain) => Object(("jump", Object(("target", Text(chain)))));

    private static string Match(string left, string right, string test = "==") => Object(("match", Object(("op", Text(test)), ("left", left), ("right", right))));

    private static string Set(params IEnumerable<string> items) => Object(("set", List(items)));

    private static string Prefix(string address, int length) => Object(("prefix", Object(("addr", Text(address)), ("len", Number(length)))));

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
