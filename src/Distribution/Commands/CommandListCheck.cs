using System.Globalization;
using Sekisho.Api.Problems;
using Sekisho.Distribution.Mapping;

namespace Sekisho.Distribution.Commands;

/// <summary>Finds every fault of a command list at once. One list at a time.</summary>
/// <param name="text">The text distribution.fault.KEY in the reader's language.</param>
internal sealed class CommandListCheck(Func<string, string> text)
{
    private const int MostEntries = 200;
    private const int MostNames = 50;
    private const int MostHours = 14;
    private const int LongestName = 64;
    private const int LongestSender = 128;
    private const int MostPerHour = 3600;

    private readonly List<Fault> _faults = [];

    public static readonly IReadOnlyList<string> Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    public IReadOnlyList<Fault> Faults => _faults;

    /// <summary>True when the list can be put into force.</summary>
    public bool Look(CommandListDocument document)
    {
        if (document.Commands is not { } commands || commands.Count > MostEntries)
        {
            Add("/commands", "commands-count");
            return false;
        }

        for (var i = 0; i < commands.Count; i++)
        {
            Entry(commands[i], string.Create(CultureInfo.InvariantCulture, $"/commands/{i}"));
        }

        return _faults.Count == 0;
    }

    /// <summary>A name of a command: a letter, then letters, digits, dots, hyphens and underscores, 64 at most.</summary>
    public static bool IsName(string? name) =>
        name is { Length: > 0 and <= LongestName } && char.IsAsciiLetter(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    /// <summary>Minutes since midnight; null when it is no time of day.</summary>
    public static int? Minutes(string? time) =>
        time is { Length: 5 } && TimeOnly.TryParseExact(time, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) ? (at.Hour * 60) + at.Minute : null;

    private void Entry(AllowedCommand? entry, string place)
    {
        if (entry is null)
        {
            Add(place, "command-entry");
            return;
        }

        Check(IsName(entry.Name), place + "/name", "command-name");
        Names(entry.Kinds, place + "/kinds", LongestName);
        Names(entry.Modes, place + "/modes", LongestName);
        Names(entry.Senders, place + "/senders", LongestSender);
        for (var i = 0; i < (entry.Senders?.Count ?? 0) && i < MostNames; i++)
        {
            Check(IsSender(entry.Senders![i]), string.Create(CultureInfo.InvariantCulture, $"{place}/senders/{i}"), "command-sender");
        }

        Check(entry.When is null or { Count: > 0 and <= MostHours }, place + "/when", "command-hours-count");
        for (var i = 0; i < (entry.When?.Count ?? 0) && i < MostHours; i++)
        {
            Hours(entry.When![i], string.Create(CultureInfo.InvariantCulture, $"{place}/when/{i}"));
        }

        Check(entry.Arguments is null or { Count: <= MostNames }, place + "/arguments", "command-arguments-count");
        for (var i = 0; i < (entry.Arguments?.Count ?? 0) && i < MostNames; i++)
        {
            Argument(entry.Arguments![i], string.Create(CultureInfo.InvariantCulture, $"{place}/arguments/{i}"));
        }

        Check(entry.PerHour is null or (>= 1 and <= MostPerHour), place + "/perHour", "command-per-hour");
    }

    private void Hours(AllowedHours? hours, string place)
    {
        if (hours is null)
        {
            Add(place, "command-entry");
            return;
        }

        Check(hours.Days is null || (hours.Days.Count is > 0 and <= 7 && hours.Days.All(d => Days.Contains(d))), place + "/days", "command-days");
        Check(Minutes(hours.From) is not null, place + "/from", "command-time");
        Check(Minutes(hours.To) is not null, place + "/to", "command-time");
    }

    private void Argument(AllowedArgument? argument, string place)
    {
        if (argument is null)
        {
            Add(place, "command-entry");
            return;
        }

        Check(Pointer.Parse(argument.Pointer) is not null, place + "/pointer", "pointer");
        Check(argument.Min is null || double.IsFinite(argument.Min.Value), place + "/min", "command-min");
        Check(argument.Max is null || (double.IsFinite(argument.Max.Value) && !(argument.Min > argument.Max)), place + "/max", "command-max");
        var isNumber = argument.Min is not null || argument.Max is not null;
        Check(argument.OneOf is null || (!isNumber && argument.OneOf.Count is > 0 and <= MostNames && argument.OneOf.All(v => v is { Length: <= LongestSender })), place + "/oneOf", "command-one-of");
        Check(argument.MaxLength is null || (!isNumber && argument.MaxLength is >= 0 and <= 10_000), place + "/maxLength", "command-max-length");
    }

    private void Names(IReadOnlyList<string>? names, string place, int longest) =>
        Check(names is null || (names.Count is > 0 and <= MostNames && names.All(n => n is not null && n.Length > 0 && n.Length <= longest && !n.Any(char.IsControl))), place, "command-names");

    private static bool IsSender(string? sender) =>
        sender is not null && (sender.StartsWith("key:", StringComparison.Ordinal) ? sender.Length > 4 : sender.StartsWith("account:", StringComparison.Ordinal) && sender.Length > 8);

    private void Check(bool isRight, string place, string key)
    {
        if (!isRight)
        {
            Add(place, key);
        }
    }

    private void Add(string place, string key) => _faults.Add(new Fault(place, text(key)));
}
