using System.Net;
using System.Text.Json;

namespace Sekisho.Response.Sim.Carriers;

/// <summary>Reads single values that carriers tell. Pure.</summary>
internal static class CarrierText
{
    /// <summary>An address in the form facts have it; null when it is none.</summary>
    public static string? Address(string? text) =>
        text is { Length: <= 64 } && IPAddress.TryParse(text, out var address) ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString() : null;

    /// <summary>A number, or a text of digits, as text.</summary>
    public static bool TryGetNumber(this JsonElement value, out string? number)
    {
        number = value.ValueKind switch
        {
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.String when value.GetString() is { Length: > 0 and <= 20 } text && text.All(char.IsAsciiDigit) => text,
            _ => null,
        };
        return number is not null;
    }
}
