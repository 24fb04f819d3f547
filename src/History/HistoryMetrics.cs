using System.Diagnostics.Metrics;
using Sekisho.History.Ledger;

namespace Sekisho.History;

/// <summary>What this stage exports: the ledger as it was at the last look. Any thread.</summary>
internal static class HistoryMetrics
{
    private static readonly Meter Meter = new("Sekisho");
    private static volatile LedgerReport? _last;

    static HistoryMetrics()
    {
        Meter.CreateObservableGauge("sekisho_ledger_residue", () => Observe(r => [new Measurement<long>(r.Residue)]), "{message}", "Accepted messages that are not accounted for; 0 unless something was lost.");
        Meter.CreateObservableUpDownCounter("sekisho_ledger_messages", () => Observe(States), "{message}", "Messages by field and state of the ledger.");
    }

    /// <summary>Replaces what is exported.</summary>
    public static void Show(LedgerReport report) => _last = report;

    private static IEnumerable<Measurement<long>> Observe(Func<LedgerReport, IEnumerable<Measurement<long>>> values) =>
        _last is { } report ? values(report) : [];

    private static IEnumerable<Measurement<long>> States(LedgerReport report) => report.Fields.SelectMany(f => new[]
    {
        Of(f, "accepted", f.Accepted),
        Of(f, "duplicates", f.Duplicates),
        Of(f, "queued", f.Queued),
        Of(f, "forwarded", f.Forwarded),
        Of(f, "dropped", f.Dropped),
        Of(f, "expired", f.Expired),
        Of(f, "dead-lettered", f.DeadLettered),
    });

    private static Measurement<long> Of(FieldLedger field, string state, long messages) =>
        new(messages, new KeyValuePair<string, object?>("field", field.FieldId), new KeyValuePair<string, object?>("state", state));
}
