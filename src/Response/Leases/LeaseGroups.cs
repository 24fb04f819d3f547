using System.Globalization;

namespace Sekisho.Response.Leases;

/// <summary>Keys of groups of leases that wait to be done together. The first word says what they wait for.</summary>
internal static class LeaseGroups
{
    /// <summary>More than is told one by one.</summary>
    public const string Many = "many";

    /// <summary>The end of the quiet hours.</summary>
    public const string Quiet = "quiet";

    /// <summary>The hours of those to be told; nobody is told yet.</summary>
    public const string Hours = "hours";

    /// <summary>The hours of some; the others are told.</summary>
    public const string Later = "later";

    /// <summary>The same of the same device was told a moment ago.</summary>
    public const string Same = "same";

    /// <summary>A call of the people on duty that goes on until somebody acknowledges.</summary>
    public const string Call = "call";

    /// <summary>The key for leases of the same action and list of recipients.</summary>
    public static string Key(string why, Lease like, string rest) => $"{why} {like.Action} {like.FieldId} {like.Target} {rest}";

    /// <summary>The key of those that are done at a time.</summary>
    public static string Key(string why, Lease like, DateTimeOffset until) => Key(why, like, until.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    /// <summary>The first word.</summary>
    public static string? Why(string? key) => key?.Split(' ')[0];

    /// <summary>Why a lease that is due is not done yet, one of <see cref="LeaseCauses"/>.</summary>
    public static string? Cause(Lease lease) => lease.State != LeaseStates.Due ? null : Why(lease.GroupKey) switch
    {
        Many => LeaseCauses.WaitsForSummary,
        Quiet => LeaseCauses.QuietHours,
        Hours or Later => LeaseCauses.OutsideHours,
        Same => LeaseCauses.ToldAlready,
        Call => LeaseCauses.CallGoesOn,
        _ => null,
    };
}
