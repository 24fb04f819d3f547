namespace Sekisho.Sensor.Uplink;

/// <summary>What is between a sensor and its gateway.</summary>
public enum UplinkFault
{
    /// <summary>The address is no https://HOST:PORT.</summary>
    NoAddress,

    /// <summary>The fingerprint is not 64 hexadecimal digits.</summary>
    NoFingerprint,

    /// <summary>The gateway's CA has another fingerprint than the one given; the code was not sent.</summary>
    OtherAuthority,

    /// <summary>What answers is no Sekisho gateway; the detail is the status, where there is one.</summary>
    NoGateway,

    /// <summary>No answer; the detail is the network's reason.</summary>
    Unreachable,

    /// <summary>The gateway has no time now; the detail is the status.</summary>
    Busy,

    /// <summary>The gateway does not enrol this sensor; the detail is its reason.</summary>
    EnrolmentRefused,

    /// <summary>The gateway does not take this sensor any more; the detail is its reason. What waits stays on disk.</summary>
    Refused,

    /// <summary>The sensor has no identity; the detail is the folder.</summary>
    NotEnrolled,

    /// <summary>The files of the identity cannot be used; the detail is the reason.</summary>
    DamagedIdentity,

    /// <summary>The gateway sent no certificate, or one of another key.</summary>
    NoCertificate,
}

/// <summary>What is between a sensor and its gateway. Holds no secret.</summary>
/// <param name="Fault">What.</param>
/// <param name="Detail">What belongs to it; see there.</param>
public sealed record UplinkTrouble(UplinkFault Fault, string Detail = "");

/// <summary>The sensor cannot get to its gateway, or is refused for good. <see cref="Exception.Message"/> is for logs; whoever shows it makes the text from <see cref="Trouble"/>.</summary>
public sealed class UplinkException : Exception
{
    /// <summary>With what it is and, where there is one, its cause.</summary>
    public UplinkException(UplinkFault fault, string detail = "", Exception? cause = null)
        : base($"{fault}: {detail}", cause) => Trouble = new UplinkTrouble(fault, detail);

    /// <summary>What it is.</summary>
    public UplinkTrouble Trouble { get; }
}
