namespace Sekisho.Sensor.Enforcement;

/// <summary>Why the enforcer cannot do its work.</summary>
public enum EnforcementFault
{
    /// <summary>The program nft is not installed.</summary>
    NoNft,

    /// <summary>The kernel does not let this program change the rules; the detail is its reason.</summary>
    NotPermitted,

    /// <summary>nft refuses, or does not answer; the detail is what it says.</summary>
    Refused,

    /// <summary>The file of orders on disk is damaged; the detail is its name.</summary>
    DamagedOrders,
}

/// <summary>The enforcer cannot do its work. <see cref="Exception.Message"/> is for logs; whoever shows it makes the text from the fault.</summary>
public sealed class EnforcementException : Exception
{
    /// <summary>With what it is and, where there is one, its cause.</summary>
    public EnforcementException(EnforcementFault fault, string detail = "", Exception? cause = null)
        : base($"{fault}: {detail}", cause) => (Fault, Detail) = (fault, detail);

    /// <summary>What it is.</summary>
    public EnforcementFault Fault { get; }

    /// <summary>What belongs to it; see there.</summary>
    public string Detail { get; }
}
