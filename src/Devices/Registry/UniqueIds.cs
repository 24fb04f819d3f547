using System.Globalization;
using System.Text;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Registry;

/// <summary>Checks unique IDs and brings them into one form. Pure.</summary>
internal static class UniqueIds
{
    private const int ImeiDigits = 15;
    private const int MacDigits = 12;
    private const int LongestText = 128;
    private const int ShownAtEnd = 4;

    /// <summary>The one form of a unique ID, or null when it breaks the rule of its type.</summary>
    public static string? Canonical(string type, string raw) => type switch
    {
        UniqueIdTypes.Imei => Imei(raw),
        UniqueIdTypes.Mac => Mac(raw),
        UniqueIdTypes.MacSerial => MacSerial(raw),
        UniqueIdTypes.Vendor or UniqueIdTypes.Serial or UniqueIdTypes.User => Text(raw),
        _ => null,
    };

    /// <summary>
    /// What a device that does not name the type may mean by a text: the text itself, and the number or address it reads as. Both are the same when it reads as none.
    /// </summary>
    public static (string Text, string Structured) Meanings(string raw)
    {
        var text = Text(raw) ?? "";
        return (text, Imei(raw) ?? Mac(raw) ?? MacSerial(raw) ?? text);
    }

    /// <summary>The last four characters of a longer one; nothing of a short one.</summary>
    public static string Mask(string canonical) => canonical.Length < 2 * ShownAtEnd ? "****" : "****" + canonical[^ShownAtEnd..];

    // 3GPP TS 23.003, 6.2.1: 14 digits and a Luhn check digit. People write it with spaces or hyphens.
    private static string? Imei(string raw)
    {
        var digits = Without(raw, ImeiDigits, " -");
        if (digits is null || !digits.All(char.IsAsciiDigit))
        {
            return null;
        }

        var sum = 0;
        for (var i = 0; i < ImeiDigits; i++)
        {
            var digit = digits[i] - '0';
            sum += i % 2 == 0 ? digit : (digit * 2 / 10) + (digit * 2 % 10);
        }

        return sum % 10 == 0 ? digits : null;
    }

    // Colons, hyphens, dots or nothing between the digits. A station's address is never a group address, and never zero.
    private static string? Mac(string raw)
    {
        var digits = Without(raw, MacDigits, ":-.");
        if (digits is null || !digits.All(char.IsAsciiHexDigit))
        {
            return null;
        }

        var value = ulong.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return value == 0 || ((value >> 40) & 1) == 1 ? null : string.Join(':', digits.ToLowerInvariant().Chunk(2).Select(c => new string(c)));
    }

    private static string? MacSerial(string raw)
    {
        var cut = raw.IndexOf('/', StringComparison.Ordinal);
        return cut > 0 && Mac(raw[..cut]) is { } mac && Text(raw[(cut + 1)..]) is { } serial && mac.Length + 1 + serial.Length <= LongestText
            ? mac + "/" + serial
            : null;
    }

    private static string? Text(string raw)
    {
        var trimmed = raw.Trim();
        return Rules.Printable(trimmed, 1, LongestText) ? trimmed.Normalize(NormalizationForm.FormC) : null;
    }

    private static string? Without(string raw, int digits, string separators)
    {
        var trimmed = raw.AsSpan().Trim();
        Span<char> kept = stackalloc char[digits];
        var count = 0;
        foreach (var c in trimmed)
        {
            if (separators.Contains(c, StringComparison.Ordinal))
            {
                continue;
            }

            if (count == digits)
            {
                return null;
            }

            kept[count++] = c;
        }

        return count == digits && trimmed.Length <= 2 * digits ? new string(kept) : null;
    }
}
