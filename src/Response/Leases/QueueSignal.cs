namespace Sekisho.Response.Leases;

/// <summary>Tells the queue's pumps that there may be work. Any thread; never blocks.</summary>
internal sealed class QueueSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Completes at the next <see cref="Wake"/>. Take it before looking for work, so that none is overlooked.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Wake() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
