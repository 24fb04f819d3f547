using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Facts;

/// <summary>Takes what carriers know into the journal. Any thread.</summary>
internal sealed class SimFacts(IEventJournal journal) : ISimFacts
{
    public async Task ReportAsync(IReadOnlyList<SimFactEvent> facts, CancellationToken cancellation) =>
        await journal.AppendAsync(facts, cancellation).ConfigureAwait(false);
}
