using System.Net.Sockets;
using System.Text.Json;
using Sekisho.Sensor.Enforcement;
using Sekisho.Sensor.Uplink;
using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Records;

namespace Sekisho.Sensor.Texts;

/// <summary>Says what went wrong with a file, an interface or an address, and what to do about it.</summary>
internal static class FaultTexts
{
    /// <summary>The text of a fault; null for one that no person can mend, which is a fault of the program.</summary>
    /// <param name="fault">What was thrown.</param>
    /// <param name="subject">What was asked for, as it was written: a file, or HOST:PORT. A fault of an interface names it itself.</param>
    /// <param name="language">"ja" or "en".</param>
    public static string? Of(Exception fault, string subject, string language) => fault switch
    {
        CaptureFileException e => SensorTexts.Get(KeyOf(e.Fault), language, ("file", subject), ("found", e.Found)),
        // What a decompressor throws at a log in gzip; with a capture the reader tells where.
        InvalidDataException => SensorTexts.Get(KeyOf(CaptureFileFault.DamagedCompression), language, ("file", subject), ("found", "gzip")),
        RecordFileException e => SensorTexts.Get(KeyOf(e.Fault), language, ("file", subject), ("found", e.Found)),
        CaptureException e => SensorTexts.Get(KeyOf(e.Fault), language, ("interface", e.Interface), ("detail", e.Detail)),
        EnforcementException e => SensorTexts.Get(KeyOf(e.Fault), language, ("detail", e.Detail)),
        UplinkException e => Of(e.Trouble, language),
        SocketException e => SensorTexts.Get(KeyOf(e.SocketErrorCode), language, ("address", subject), ("detail", e.Message)),
        FileNotFoundException or DirectoryNotFoundException => SensorTexts.Get("file.missing", language, ("file", subject)),
        UnauthorizedAccessException => SensorTexts.Get("file.forbidden", language, ("file", subject)),
        IOException e => SensorTexts.Get("file.unreadable", language, ("file", subject), ("detail", e.Message)),
        _ => null,
    };

    /// <summary>The text of what is between the sensor and its gateway.</summary>
    public static string Of(UplinkTrouble trouble, string language) => SensorTexts.Get(KeyOf(trouble.Fault), language, ("detail", trouble.Detail));

    internal static string KeyOf(UplinkFault fault) => "uplink." + Words(fault);

    internal static string KeyOf(EnforcementFault fault) => "enforcement." + Words(fault);

    internal static string KeyOf(CaptureFileFault fault) => "capture-file." + Words(fault);

    internal static string KeyOf(RecordFileFault fault) => "record-file." + Words(fault);

    internal static string KeyOf(CaptureFault fault) => "interface." + Words(fault);

    internal static string KeyOf(SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => "address.in-use",
        SocketError.AddressNotAvailable => "address.not-ours",
        SocketError.AccessDenied => "address.forbidden",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "address.unknown-name",
        SocketError.ConnectionRefused => "address.nobody-listens",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.TimedOut => "address.unreachable",
        _ => "address.refused",
    };

    private static string Words<T>(T fault)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(fault.ToString());
}
