using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sekisho.Response.Rules;

/// <summary>
/// Rules and scripts of a field as one file: this as JSON, and the gateway's signature in a last line as templates and scripts carry it.
/// </summary>
/// <param name="Kind">Always <see cref="KindName"/>.</param>
/// <param name="Format">1.</param>
/// <param name="Field">Field that it was exported from.</param>
/// <param name="SignedAt">When.</param>
/// <param name="Rules">The rules that were in force.</param>
/// <param name="Scripts">The response scripts, each in the version that was in force or else newest.</param>
internal sealed record RuleFile(string? Kind, int? Format, string? Field, DateTimeOffset? SignedAt, IReadOnlyList<RuleRequest?>? Rules, IReadOnlyList<RuleFileScript?>? Scripts)
{
    /// <summary>What says that a file is of this kind.</summary>
    public const string KindName = "sekisho-response-rules";

    /// <summary>Bytes of a file at most.</summary>
    public const int MostBytes = 4 << 20;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        NewLine = "\n",
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        MaxDepth = 16,
    };

    /// <summary>The text to sign. The marks of the scripts' own signatures are escaped, for a file has one mark only, in its last line.</summary>
    public string Write() => JsonSerializer.Serialize(this, Options).Replace("# sekisho-signature", "\\u0023 sekisho-signature", StringComparison.Ordinal) + "\n";

    /// <summary>Reads a text without its signature.</summary>
    /// <param name="body">The text.</param>
    /// <param name="place">Where it cannot be read, as a JSON path; null when it can.</param>
    public static RuleFile? Read(string body, out string? place)
    {
        try
        {
            place = null;
            if (JsonSerializer.Deserialize<RuleFile>(Encoding.UTF8.GetBytes(body), Options) is { } file)
            {
                return file;
            }

            place = "$";
        }
        catch (JsonException e)
        {
            place = e.Path is { Length: > 0 and <= 200 } path ? path : "$";
        }

        return null;
    }
}

/// <summary>One script in a file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version where it was exported; tells people only.</param>
/// <param name="Text">The script with its own signature.</param>
internal sealed record RuleFileScript(string? Name, int? Version, string? Text);
