namespace Sekisho.Response.Soc.Receivers;

/// <summary>
/// Stable names of kinds of properties that leave for a receiver only when it is allowed them; each has a text soc.mark.NAME. As shipped none
/// is. An event lists what was left out of it.
/// </summary>
internal static class PrivacyMarks
{
    /// <summary>Names that people gave to devices and fields.</summary>
    public const string Names = "names";

    /// <summary>Network addresses and networks of senders.</summary>
    public const string Addresses = "addresses";

    /// <summary>What tells a person or a thing apart outside this gateway: users, subjects, clients, serial numbers.</summary>
    public const string Identifiers = "identifiers";

    /// <summary>Names of accounts and keys that did something.</summary>
    public const string Operators = "operators";

    /// <summary>What people wrote: reasons, notes.</summary>
    public const string FreeText = "free-text";

    /// <summary>Everything else that a record holds and that is not known to be harmless.</summary>
    public const string Details = "details";

    public static readonly IReadOnlyList<string> All = [Names, Addresses, Identifiers, Operators, FreeText, Details];
}
