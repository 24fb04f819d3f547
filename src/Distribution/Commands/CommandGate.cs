using System.Globalization;
using System.Text.Json;
using Sekisho.Distribution.Mapping;
using Sekisho.Domain.Devices;

namespace Sekisho.Distribution.Commands;

/// <summary>A command as the gate sees it.</summary>
/// <param name="Name">What the device is to do.</param>
/// <param name="Sender">"key:NAME" or "account:NAME".</param>
/// <param name="Arguments">The arguments, an object.</param>
/// <param name="DeviceKind">Kind of the device.</param>
/// <param name="Mode">Operating mode that it told last; null when it told none.</param>
/// <param name="Local">The moment by the field's wall clock.</param>
/// <param name="LastHour">How often this command went to the device within the last hour.</param>
internal sealed record CommandAsk(string Name, string Sender, JsonElement Arguments, string DeviceKind, string? Mode, DateTime Local, long LastHour);

/// <summary>
/// Holds commands against a field's list: it goes when an entry allows all of it. Of several entries that do not, the fault of the one that came furthest is told. Pure and
/// immutable, any thread.
/// </summary>
internal sealed class CommandGate
{
    private readonly ILookup<string, Entry> _entries;

    public CommandGate(CommandListDocument document) =>
        _entries = document.Commands!.ToLookup(c => c.Name!, c => new Entry(c), StringComparer.Ordinal);

    /// <summary>How a field without a list holds everything.</summary>
    public static readonly CommandFault NoList = new(CommandBounds.NoList, null, "–", "–");

    /// <summary>Why the command is held; null when it goes.</summary>
    public CommandFault? Judge(CommandAsk ask)
    {
        var (furthest, fault) = (-1, new CommandFault(CommandBounds.Name, null, ask.Name, Listed(_entries.Select(e => e.Key))));
        foreach (var entry in _entries[ask.Name])
        {
            var (step, wrong) = entry.Judge(ask);
            if (wrong is null)
            {
                return null;
            }

            if (step > furthest)
            {
                (furthest, fault) = (step, wrong);
            }
        }

        return fault;
    }

    private static string Listed(IEnumerable<string> names)
    {
        var text = string.Join(", ", names.Order(StringComparer.Ordinal).Distinct());
        return text.Length == 0 ? "–" : Cut(text, 200);
    }

    private static string Cut(string text, int most) => text.Length <= most ? text : text[..(most - 1)] + "…";

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Entry(AllowedCommand allowed)
    {
        private readonly Window[]? _when = allowed.When?.Select(w => new Window(w)).ToArray();
        private readonly (string[] Path, AllowedArgument Allowed)[] _arguments = [.. (allowed.Arguments ?? []).Select(a => (Pointer.Parse(a.Pointer)!, a))];

        /// <summary>The fault, and how far the command came; a later step stands for a closer miss.</summary>
        public (int Step, CommandFault? Fault) Judge(CommandAsk ask)
        {
            if (allowed.Kinds is { } kinds && !kinds.Contains(ask.DeviceKind, StringComparer.OrdinalIgnoreCase))
            {
                return (0, new CommandFault(CommandBounds.Name, null, Cut($"{ask.Name} ({ask.DeviceKind})", 80), Listed(kinds)));
            }

            if (allowed.Modes is { } modes && (ask.Mode is null || !modes.Contains(ask.Mode, StringComparer.Ordinal)))
            {
                return (1, new CommandFault(CommandBounds.Mode, null, ask.Mode ?? "–", Listed(modes)));
            }

            if (allowed.Senders is { } senders && !senders.Contains(ask.Sender, StringComparer.OrdinalIgnoreCase))
            {
                return (2, new CommandFault(CommandBounds.Sender, null, Cut(ask.Sender, 80), Listed(senders)));
            }

            if (_when is not null && !_when.Any(w => w.Contains(ask.Local)))
            {
                return (3, new CommandFault(CommandBounds.Time, null, ask.Local.ToString("ddd HH:mm", CultureInfo.InvariantCulture), Cut(string.Join("; ", _when.Select(w => w.Text)), 200)));
            }

            if (Arguments(ask.Arguments) is { } argument)
            {
                return (4, argument);
            }

            return allowed.PerHour is { } most && ask.LastHour >= most ? (5, new CommandFault(CommandBounds.Rate, null, $"{ask.LastHour + 1}", $"{most}", ask.LastHour + 1, null, most))
                : allowed.Sensitive ? (6, new CommandFault(CommandBounds.Sensitive, null, ask.Name, "–"))
                : (7, null);
        }

        private CommandFault? Arguments(JsonElement arguments)
        {
            var found = new bool[_arguments.Length];
            if (Walk(arguments, [], found) is { } fault)
            {
                return fault;
            }

            var missing = Enumerable.Range(0, found.Length).FirstOrDefault(i => !found[i] && _arguments[i].Allowed.Required, -1);
            return missing < 0 ? null : Fault(_arguments[missing].Allowed.Pointer!, "missing", Bounds(_arguments[missing].Allowed));
        }

        // Every value that is no object or array of values must be named, or others must be allowed; an empty object or array is a value, too.
        private CommandFault? Walk(JsonElement value, List<string> path, bool[] found)
        {
            var which = Named(path);
            if (which >= 0)
            {
                found[which] = true;
                return Bound(value, path, _arguments[which].Allowed);
            }

            switch (value.ValueKind)
            {
                case JsonValueKind.Object:
                    var members = 0;
                    foreach (var member in value.EnumerateObject())
                    {
                        members++;
                        path.Add(member.Name);
                        if (Walk(member.Value, path, found) is { } fault)
                        {
                            return fault;
                        }

                        path.RemoveAt(path.Count - 1);
                    }

                    return members == 0 && path.Count > 0 ? Other(value, path) : null;
                case JsonValueKind.Array:
                    var index = 0;
                    foreach (var element in value.EnumerateArray())
                    {
                        path.Add(index++.ToString(CultureInfo.InvariantCulture));
                        if (Walk(element, path, found) is { } fault)
                        {
                            return fault;
                        }

                        path.RemoveAt(path.Count - 1);
                    }

                    return index == 0 ? Other(value, path) : null;
                default:
                    return Other(value, path);
            }
        }

        private CommandFault? Other(JsonElement value, List<string> path) => allowed.OtherArguments ? null
            : Fault(PointerOf(path), What(value), _arguments.Length == 0 ? "–" : Cut(string.Join(", ", _arguments.Select(a => a.Allowed.Pointer)), 200));

        private int Named(List<string> path)
        {
            for (var i = 0; i < _arguments.Length; i++)
            {
                var pattern = _arguments[i].Path;
                var fits = pattern.Length == path.Count;
                for (var at = 0; fits && at < pattern.Length; at++)
                {
                    fits = pattern[at] == path[at] || (pattern[at] == "*" && path[at].All(char.IsAsciiDigit) && path[at].Length > 0);
                }

                if (fits)
                {
                    return i;
                }
            }

            return -1;
        }

        private static CommandFault? Bound(JsonElement value, List<string> path, AllowedArgument bound)
        {
            if (bound.Min is not null || bound.Max is not null)
            {
                // A number that is too large for a double is outside any bound.
                return value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number) || !double.IsFinite(number)
                    ? Fault(PointerOf(path), What(value), Bounds(bound))
                    : number >= (bound.Min ?? double.NegativeInfinity) && number <= (bound.Max ?? double.PositiveInfinity)
                        ? null
                        : Fault(PointerOf(path), Text(number), Bounds(bound)) with { Measured = number, Low = bound.Min, High = bound.Max };
            }

            if (bound.OneOf is null && bound.MaxLength is null)
            {
                return value.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? Fault(PointerOf(path), What(value), Bounds(bound)) : null;
            }

            return value.ValueKind == JsonValueKind.String && value.GetString() is { } text
                && (bound.OneOf is null || bound.OneOf.Contains(text, StringComparer.Ordinal)) && !(text.Length > bound.MaxLength)
                    ? null
                    : Fault(PointerOf(path), What(value), Bounds(bound));
        }

        private static CommandFault Fault(string pointer, string value, string allowed) => new(CommandBounds.Argument, Cut(pointer, 200), value, allowed);

        // What kind of value, not which: an argument may be a secret.
        private static string What(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.String => string.Create(CultureInfo.InvariantCulture, $"text ({value.GetString()!.Length})"),
            JsonValueKind.Number => "number",
            JsonValueKind.True or JsonValueKind.False => "true/false",
            JsonValueKind.Null => "null",
            JsonValueKind.Array => "array",
            _ => "object",
        };

        private static string Bounds(AllowedArgument bound)
        {
            var parts = new List<string>();
            if (bound.Min is not null || bound.Max is not null)
            {
                parts.Add($"{(bound.Min is { } low ? Text(low) : "…")} – {(bound.Max is { } high ? Text(high) : "…")}");
            }

            if (bound.OneOf is { } values)
            {
                parts.Add(string.Join(" | ", values));
            }

            if (bound.MaxLength is { } most)
            {
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"text (≤ {most})"));
            }

            return parts.Count == 0 ? "a value" : Cut(string.Join(", ", parts), 200);
        }

        private static string PointerOf(List<string> path) => string.Concat(path.Select(p => "/" + Pointer.Escape(p)));
    }

    private sealed class Window(AllowedHours hours)
    {
        private readonly int _days = (hours.Days ?? CommandListCheck.Days).Aggregate(0, (bits, day) => bits | (1 << CommandListCheck.Days.ToList().IndexOf(day)));
        private readonly int _from = CommandListCheck.Minutes(hours.From)!.Value;
        private readonly int _to = CommandListCheck.Minutes(hours.To)!.Value;

        public string Text { get; } = $"{(hours.Days is { } days ? string.Join(' ', days) + " " : "")}{hours.From}–{hours.To}";

        public bool Contains(DateTime local)
        {
            var minute = (local.Hour * 60) + local.Minute;
            return _from < _to
                ? minute >= _from && minute < _to && On(local)
                : (minute >= _from && On(local)) || (minute < _to && On(local.AddDays(-1)));
        }

        private bool On(DateTime day) => (_days & (1 << (int)day.DayOfWeek)) != 0;
    }
}
