namespace Sekisho.Detection.Conditions;

/// <summary>Remembers whether the device is in the operating mode that a condition watches: 1 yes, 2 no, 0 unknown.</summary>
internal static class ModeCell
{
    /// <summary>Notes the mode of a message. A message without a mode leaves the device in the mode it was in.</summary>
    public static bool Matches(ref long cell, string? watched, string? stated)
    {
        if (watched is null)
        {
            return true;
        }

        if (stated is not null)
        {
            cell = string.Equals(watched, stated, StringComparison.OrdinalIgnoreCase) ? 1 : 2;
        }

        return cell == 1;
    }
}
