using System.Diagnostics.Metrics;

namespace Sekisho.Distribution;

/// <summary>What this stage counts.</summary>
internal static class DistributionMetrics
{
    private static readonly Meter Meter = new("Sekisho");

    public static readonly Counter<long> AcceptedMessages = Meter.CreateCounter<long>("sekisho_accepted_messages", "{message}", "Messages that are durable and were acknowledged.");
    public static readonly Counter<long> AcceptedBytes = Meter.CreateCounter<long>("sekisho_accepted_bytes", "By", "Bytes of accepted messages.");
    public static readonly Counter<long> RepeatedMessages = Meter.CreateCounter<long>("sekisho_repeated_messages", "{message}", "Accepted messages that were recognised as repeats.");
    public static readonly Counter<long> RepeatedBytes = Meter.CreateCounter<long>("sekisho_repeated_bytes", "By", "Bytes of repeated messages.");
    public static readonly Counter<long> RefusedRequests = Meter.CreateCounter<long>("sekisho_refused_requests", "{request}", "Requests of devices that were refused, by reason.");
    public static readonly Counter<long> RefusedBytes = Meter.CreateCounter<long>("sekisho_refused_bytes", "By", "Bytes of refused requests as far as they were received.");
    public static readonly Counter<long> JournalFailures = Meter.CreateCounter<long>("sekisho_journal_failures", "{commit}", "Commits of the journal that failed or were refused for want of space.");
    public static readonly Counter<long> ForwardedMessages = Meter.CreateCounter<long>("sekisho_forwarded_messages", "{message}", "Messages that left the outbox, by field and state.");
    public static readonly Counter<long> ForwardingAttempts = Meter.CreateCounter<long>("sekisho_forwarding_attempts", "{request}", "Requests to destinations, by field and outcome.");

    private static readonly Histogram<double> CommitDuration = Meter.CreateHistogram<double>("sekisho_journal_commit_duration", "s", "Gathering, encrypting and syncing one block.");
    private static readonly Histogram<int> CommitCalls = Meter.CreateHistogram<int>("sekisho_journal_commit_calls", "{call}", "Calls that one commit of the journal made durable.");

    public static void Committed(TimeSpan took, int calls)
    {
        CommitDuration.Record(took.TotalSeconds);
        CommitCalls.Record(calls);
    }
}
