using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Sekisho.Response.Soc.Formats;

/// <summary>What the formats say of the sender, and how they write JSON.</summary>
internal static class Product
{
    public static readonly string Version = typeof(Product).Assembly.GetName().Version!.ToString(3);

    /// <summary>On one line, letters of all languages as they are.</summary>
    public static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };
}
