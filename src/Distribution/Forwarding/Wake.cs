namespace Sekisho.Distribution.Forwarding;

/// <summary>Wakes one waiter; a call while nobody waits is remembered once. Any thread.</summary>
internal sealed class Wake(TimeProvider clock)
{
    private readonly Lock _turn = new(); // guards _signal
    private TaskCompletionSource _signal = New();

    public void Set()
    {
        lock (_turn)
        {
            _signal.TrySetResult();
        }
    }

    /// <summary>Returns when woken or when the time is over (infinite is allowed).</summary>
    public async Task WaitAsync(TimeSpan most, CancellationToken cancellation)
    {
        Task signal;
        lock (_turn)
        {
            signal = _signal.Task;
        }

        try
        {
            await signal.WaitAsync(most, clock, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return;
        }

        lock (_turn)
        {
            _signal = New();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
