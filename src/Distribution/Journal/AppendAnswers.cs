using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Journal;

/// <summary>
/// Answers the calls of one commit on the thread pool, some to a work item: a work item per call would cost more than the answer. The calls
/// of several work items are answered side by side. Made by the journal thread, run once by the pool.
/// </summary>
internal sealed class AppendAnswers : IThreadPoolWorkItem
{
    private const int PerItem = 16;
    private readonly (Append Append, long Position)[] _stored;
    private readonly JournalUnavailableException? _fault;

    private AppendAnswers((Append Append, long Position)[] stored, JournalUnavailableException? fault) => (_stored, _fault) = (stored, fault);

    /// <summary>All calls are durable.</summary>
    /// <param name="batch">The calls in the order of their events.</param>
    /// <param name="first">Position of the first event of the first call.</param>
    public static void Stored(List<Append> batch, long first)
    {
        for (var from = 0; from < batch.Count; from += PerItem)
        {
            var some = new (Append, long)[Math.Min(PerItem, batch.Count - from)];
            for (var i = 0; i < some.Length; i++)
            {
                var append = batch[from + i];
                some[i] = (append, first);
                first += append.Events.Count;
            }

            ThreadPool.UnsafeQueueUserWorkItem(new AppendAnswers(some, null), preferLocal: false);
        }
    }

    /// <summary>Nothing of the calls was stored.</summary>
    public static void Failed(List<Append> batch, JournalUnavailableException fault) =>
        ThreadPool.UnsafeQueueUserWorkItem(new AppendAnswers([.. batch.Select(a => (a, 0L))], fault), preferLocal: false);

    /// <inheritdoc/>
    public void Execute()
    {
        foreach (var (append, position) in _stored)
        {
            if (_fault is null)
            {
                append.Stored(position);
            }
            else
            {
                append.Failed(new JournalUnavailableException(_fault.Message, _fault.RetryAfter, _fault.InnerException));
            }
        }
    }
}
