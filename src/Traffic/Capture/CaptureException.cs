namespace Sekisho.Traffic.Capture;

/// <summary>Why traffic cannot be read.</summary>
public enum CaptureFault
{
    /// <summary>The process lacks CAP_NET_RAW.</summary>
    NotPermitted,

    /// <summary>No interface has this name.</summary>
    NoSuchInterface,

    /// <summary>The interface is down.</summary>
    InterfaceDown,

    /// <summary>The interface carries frames that are not read here (CAN, InfiniBand …).</summary>
    UnknownLink,

    /// <summary>The kernel has no memory for the ring.</summary>
    NoMemory,

    /// <summary>The kernel refuses something else; the message carries its number.</summary>
    Refused,
}

/// <summary>Traffic cannot be read. <see cref="Exception.Message"/> is English and says what to do; whoever shows it makes the text from <see cref="Fault"/> and <see cref="Interface"/>.</summary>
public sealed class CaptureException : Exception
{
    /// <summary>Makes the exception with the text that belongs to the fault.</summary>
    /// <param name="fault">Why.</param>
    /// <param name="interfaceName">On which interface.</param>
    /// <param name="detail">What the kernel was asked for, and its answer.</param>
    public CaptureException(CaptureFault fault, string interfaceName, string detail = "")
        : base(Text(fault, interfaceName, detail))
    {
        Fault = fault;
        Interface = interfaceName;
        Detail = detail;
    }

    /// <summary>Why.</summary>
    public CaptureFault Fault { get; }

    /// <summary>The interface that was asked for.</summary>
    public string Interface { get; }

    /// <summary>What the kernel was asked for, and its answer; empty where the fault says all.</summary>
    public string Detail { get; }

    private static string Text(CaptureFault fault, string name, string detail) => fault switch
    {
        CaptureFault.NotPermitted => $"Reading from {name} needs the capability CAP_NET_RAW: run as root, give the unit AmbientCapabilities=CAP_NET_RAW, or mark the program by: setcap cap_net_raw+ep PROGRAM",
        CaptureFault.NoSuchInterface => $"There is no interface {name}: ip link lists those that exist.",
        CaptureFault.InterfaceDown => $"The interface {name} is down: ip link set {name} up",
        CaptureFault.UnknownLink => $"The interface {name} carries frames that are not read here ({detail}).",
        CaptureFault.NoMemory => $"The kernel has no memory for the ring of {name}: make the ring or its blocks smaller.",
        _ => $"The kernel refuses to read from {name}: {detail}.",
    };
}
