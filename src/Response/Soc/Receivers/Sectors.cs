namespace Sekisho.Response.Soc.Receivers;

/// <summary>
/// Stable names of the fourteen critical-infrastructure sectors of Japan (重要インフラ14分野, "Cybersecurity Policy for Critical Infrastructure
/// Protection" of 2022 before ports were added); each has a text soc.sector.NAME.
/// </summary>
internal static class Sectors
{
    public static readonly IReadOnlyList<string> All =
    [
        "information-communication", "finance", "aviation", "airports", "railways", "electricity", "gas", "government", "medical", "water", "logistics", "chemistry", "credit", "petroleum",
    ];
}
