namespace Sekisho.Behaviour.Orders;

/// <summary>Tells those who wait that measures or answers have changed. Any thread; never blocks.</summary>
internal sealed class OrderSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Completes at the next <see cref="Wake"/>. Take it before looking, so that nothing is overlooked.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Wake() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
