using Sekisho.Response.Leases;
using Sekisho.Response.Sim.Carriers;

namespace Sekisho.Response.Sim;

/// <summary>The carrier took the order, and the SIM does not show it yet.</summary>
internal sealed class SimNotYetException(string state) : IOException($"The carrier took the order, and the SIM is still '{state}'.");

/// <summary>
/// Brings SIMs into a state. One at a time works on a SIM in this process; two nodes at once do no harm, since each reads the state before it orders.
/// Any thread.
/// </summary>
internal sealed class SimSwitch(SimSettings settings, TimeProvider clock)
{
    private readonly Turns _turns = new();

    /// <summary>Waits for the turn on a SIM.</summary>
    public Task<IDisposable> TurnAsync(string cardId, CancellationToken cancellation) => _turns.TakeAsync(cardId, cancellation);

    /// <summary>Orders the state unless the SIM has it, and returns when it shows.</summary>
    /// <exception cref="SimNotYetException">It does not show within the time set.</exception>
    /// <exception cref="CarrierException">The carrier does not do its part.</exception>
    public async Task SetAsync(ISimProvider provider, SimStatus status, string wanted, CancellationToken cancellation)
    {
        if (status.State == wanted)
        {
            return;
        }

        await provider.OrderAsync(status.SimId, wanted, cancellation);
        var until = clock.GetUtcNow() + settings.ShowsWithin;
        while (true)
        {
            var shown = (await provider.StatusAsync(status.SimId, cancellation))?.State ?? SimStates.Terminated;
            if (shown == wanted)
            {
                return;
            }

            if (clock.GetUtcNow() + settings.LookAgainAfter > until)
            {
                throw new SimNotYetException(shown);
            }

            await Task.Delay(settings.LookAgainAfter, clock, cancellation);
        }
    }
}
