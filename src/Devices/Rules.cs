using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Devices;

/// <summary>A value that breaks a rule: where, and the key of the sentence that says what is allowed.</summary>
/// <param name="Place">JSON pointer or "row N".</param>
/// <param name="Key">Key of the text, without its prefix.</param>
internal sealed record BrokenRule(string Place, string Key);

/// <summary>Rules that values of several requests share. Pure.</summary>
internal static partial class Rules
{
    /// <summary>The broken rules as a problem in the language of the request.</summary>
    public static Problem Problem(HttpContext context, Texts texts, IReadOnlyList<BrokenRule> broken)
    {
        var language = RequestLanguage.Of(context);
        return Api.Problems.Problem.Of(CommonProblems.Invalid, [.. broken.Select(b => new Fault(b.Place, texts.Get("devices.rule." + b.Key, language)))]);
    }

    /// <summary>True for text of visible characters: no control, format or line-separating ones, and no broken surrogates.</summary>
    public static bool Printable(string text, int least, int most)
    {
        if (text.Length < least || text.Length > most)
        {
            return false;
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.GetUnicodeCategory(text[i]) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True for a name that programs use: lower-case letters, digits and inner hyphens.</summary>
    public static bool Slug(string text, int least, int most) => text.Length >= least && text.Length <= most && SlugPattern().IsMatch(text);

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\z", RegexOptions.NonBacktracking)]
    private static partial Regex SlugPattern();
}
