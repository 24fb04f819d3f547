namespace Sekisho.Verification;

/// <summary>Waiting for something to become true, never for time alone.</summary>
public static class Deadline
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks again and again until the answer is yes.</summary>
    /// <param name="condition">The question.</param>
    /// <param name="within">How long at most.</param>
    /// <param name="what">What is waited for, for the message of the exception.</param>
    /// <param name="clock">Real or virtual time.</param>
    /// <param name="cancellation">Ends the wait early.</param>
    /// <exception cref="TimeoutException">It did not become true in time.</exception>
    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan within, string what, TimeProvider clock, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(clock);
        var start = clock.GetTimestamp();
        while (!await condition().ConfigureAwait(false))
        {
            if (clock.GetElapsedTime(start) > within)
            {
                throw new TimeoutException($"Waited {within.TotalSeconds:0.#} s in vain for: {what}.");
            }

            await Task.Delay(Step, clock, cancellation).ConfigureAwait(false);
        }
    }
}
