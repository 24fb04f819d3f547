namespace Sekisho.Scripting;

/// <summary>Names of scripts, and of what scripts name.</summary>
public static class ScriptName
{
    /// <summary>True for 1 to 40 lower-case letters, digits and hyphens, a letter first.</summary>
    public static bool IsGood(string? name) =>
        name is { Length: > 0 and <= 40 } && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
