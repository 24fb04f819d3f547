using System.Diagnostics.Metrics;

namespace Sekisho.Operations;

/// <summary>What this stage counts.</summary>
internal static class OperationsMetrics
{
    private static readonly Meter Meter = new("Sekisho");
    private static readonly Counter<long> SignIns = Meter.CreateCounter<long>("sekisho_sign_ins_total", description: "Attempts to sign in to the management interface, by outcome.");

    /// <summary>Counts an attempt.</summary>
    /// <param name="outcome">"accepted", "refused" or "limited".</param>
    public static void SignIn(string outcome) => SignIns.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
}
