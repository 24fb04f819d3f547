using System.Diagnostics.Metrics;

namespace Sekisho.Devices;

/// <summary>What Devices measures.</summary>
internal static class DevicesMetrics
{
    private static readonly Meter Meter = new("Sekisho");
    private static readonly Counter<long> Authentications = Meter.CreateCounter<long>("sekisho_authentications", "{attempt}", "Attempts to authenticate by outcome.");

    /// <summary>Counts one attempt.</summary>
    public static void Authentication(string outcome) => Authentications.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
}
