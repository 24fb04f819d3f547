using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Templates;

/// <summary>Labels of parameters: the kind's own, or the one that all kinds share.</summary>
internal static class ParameterLabels
{
    public static string Of(Texts texts, string kind, string parameter, string language)
    {
        var own = $"condition.{kind}.{parameter}";
        return texts.Get(own, language) is var text && text != own ? text : texts.Get($"condition.any.{parameter}", language);
    }
}
