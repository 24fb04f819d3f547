using System.Globalization;
using System.Text.Json;

namespace Sekisho.Sensor.Enforcement;

/// <summary>Pieces of JSON.</summary>
internal static class NftJson
{
    public const string Null = "null";

    public static string Object(params IEnumerable<(string Name, string Value)> members) => "{" + string.Join(',', members.Select(m => $"\"{m.Name}\":{m.Value}")) + "}";

    public static string List(params IEnumerable<string> items) => "[" + string.Join(',', items) + "]";

    public static string Text(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
