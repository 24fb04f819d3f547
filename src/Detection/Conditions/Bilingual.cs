namespace Sekisho.Detection.Conditions;

/// <summary>A text in both languages.</summary>
internal sealed record Bilingual(string Ja, string En)
{
    public string In(string language) => language == "ja" ? Ja : En;
}
