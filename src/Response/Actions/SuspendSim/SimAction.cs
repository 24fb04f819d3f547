using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Sim;
using Sekisho.Response.Sim.Cards;
using Sekisho.Response.Sim.Carriers;

namespace Sekisho.Response.Actions.SuspendSim;

/// <summary>What to do with a SIM.</summary>
/// <param name="Action">Name of the action.</param>
/// <param name="State">State that the SIM is brought into.</param>
/// <param name="LocksOut">It holds until a person releases it, for theft and takeover.</param>
internal sealed record SimOff(string Action, string State, bool LocksOut)
{
    /// <summary>The network refuses the SIM for good, and the modem gives up.</summary>
    public static readonly SimOff Suspend = new("suspend-sim", SimStates.Suspended, LocksOut: true);

    /// <summary>The network refuses the SIM for now, and the modem keeps trying.</summary>
    public static readonly SimOff Deactivate = new("deactivate-sim", SimStates.Inactive, LocksOut: false);
}

/// <summary>
/// Switches the SIM of the finding's device off, and with it whatever else the SIM carries. Several leases may hold one SIM, of either kind: the
/// strongest wish decides, and the undo of the last brings back what was before the first. A SIM that somebody else had switched off before stays
/// off. The state before is noted before an order goes out, so that a repeat after a kill knows its own doing. Any thread.
/// </summary>
internal sealed class SimAction(SimOff off, SimCards cards, SimProviders providers, SimStore store, SimSwitch gate, LastReadings readings, SimSettings settings, TimeProvider clock) : IResponseAction
{
    private const int MostNames = 5;

    public string Name => off.Action;

    public bool CanUndo => true;

    public bool LocksOut => off.LocksOut;

    public bool Disturbs => true;

    public bool Destroys => false;

    // A device without a SIM is a target too: whoever adds the SIM can have it tried again. In a field without a carrier nobody is asked to agree.
    public (string? Target, string? Refusal) TargetOf(Finding finding) => finding.DeviceId is not { } device
        ? (null, LeaseCauses.NoDevice)
        : providers.Of(finding.FieldId) is null ? (null, LeaseCauses.NoSimProvider) : (cards.Of(device)?.Id ?? device, null);

    public IReadOnlyCollection<string> Reaches(string? deviceId, string target) =>
        CardOf(deviceId, target) is { } card ? [.. cards.DevicesOn(card).Select(d => d.DeviceId).Append(deviceId ?? target).Distinct()] : [deviceId ?? target];

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (CardOf(lease) is not { } card)
        {
            return [new("response.preview.no-sim")];
        }

        if (providers.Of(card.FieldId) is not { } carrier)
        {
            return [new("response.preview.no-sim-provider")];
        }

        if (!carrier.Provider.Offers(off.State))
        {
            return [new("response.preview.sim-not-offered")];
        }

        List<PreviewLine> lines = [.. Carries(card)];
        if ((await store.OthersAsync(card.Id, lease.Id, leaving: false, cancellation)).Count > 0)
        {
            lines.Add(new("response.preview.sim-held-already"));
        }

        lines.Add(await AtCarrierAsync(card, carrier, cancellation));
        return lines;
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (CardOf(lease) is not { } card || card.FieldId != lease.FieldId)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoSim);
        }

        if (providers.Of(card.FieldId) is not { } carrier)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoSimProvider);
        }

        if (!carrier.Provider.Offers(off.State))
        {
            return new ActionOutcome.Refused(LeaseCauses.SimNotOffered);
        }

        // However much the guard still allows: one finding does not switch many off by itself. To have it tried again is a person's yes.
        if (lease.Details is { Approvals.Count: 0, Retries: 0 } && cards.DevicesOn(card).Count > settings.MostDevices)
        {
            return new ActionOutcome.Refused(LeaseCauses.SimCarriesMany);
        }

        using var turn = await gate.TurnAsync(card.Id, cancellation);
        try
        {
            return await SwitchOffAsync(lease, card, carrier, cancellation);
        }
        catch (Exception e) when (e is CarrierException or SimNotYetException)
        {
            return new ActionOutcome.Retry(e.Message);
        }
    }

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        // What throws from here on (the carrier is down, or set no more) leaves the undo asked for.
        if (await store.OrderAsync(order.Lease.Id, cancellation) is not { } mine)
        {
            return null;
        }

        using var turn = await gate.TurnAsync(mine.CardId, cancellation);
        var cause = mine.Owned ? await GiveBackAsync(mine, isRepeat: order.Lease.Attempts > 1, cancellation) : LeaseCauses.SimChangedElsewhere;
        await store.EndOrderAsync(mine, cancellation);
        await cards.LoadAsync(cancellation);
        return cause;
    }

    private async Task<ActionOutcome> SwitchOffAsync(Lease lease, SimCard card, FieldCarrier carrier, CancellationToken cancellation)
    {
        if (await carrier.Provider.StatusAsync(card.Names.SimId, cancellation) is not { } status)
        {
            return new ActionOutcome.Refused(LeaseCauses.SimUnknown);
        }

        if (IsForbidden(carrier, card, status))
        {
            return new ActionOutcome.Refused(LeaseCauses.SimForbidden);
        }

        if (status.State == SimStates.Terminated)
        {
            return new ActionOutcome.Refused(LeaseCauses.SimTerminated);
        }

        var mine = await store.OrderAsync(lease.Id, cancellation);
        if (mine is null)
        {
            var first = await store.OthersAsync(card.Id, lease.Id, leaving: true, cancellation) is [var oldest, ..] ? oldest : null;
            var isOff = SimStates.Weight(status.State) >= SimStates.Weight(off.State);
            mine = new SimOrder(lease.Id, card.Id, first?.Before ?? status.State, off.State, Owned: first is not null || !isOff);
            await store.AddOrderAsync(mine, cancellation);
        }

        if (SimStates.Weight(status.State) < SimStates.Weight(off.State))
        {
            await gate.SetAsync(carrier.Provider, status, off.State, cancellation);
        }

        return new ActionOutcome.Done(Cause: mine.Owned ? null : LeaseCauses.SimOffAlready);
    }

    /// <summary>Leaves the SIM as those who still hold it want it, or as it was before all of them.</summary>
    /// <param name="mine">What is undone.</param>
    /// <param name="isRepeat">An earlier try may have switched it on, for somebody who came to hold it since.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>Why it is not as before; null when it is.</returns>
    private async Task<string?> GiveBackAsync(SimOrder mine, bool isRepeat, CancellationToken cancellation)
    {
        var others = await store.OthersAsync(mine.CardId, mine.LeaseId, leaving: false, cancellation);
        var wanted = others.MaxBy(o => SimStates.Weight(o.Wanted))?.Wanted ?? (mine.Before == SimStates.Inactive ? SimStates.Inactive : SimStates.Active);
        var cause = others.Count > 0 ? LeaseCauses.SimStillHeld : null;
        if (wanted == mine.Wanted && !(isRepeat && others.Count > 0))
        {
            return cause;
        }

        var card = cards.Card(mine.CardId) ?? throw new InvalidOperationException("The SIM of this response is not known any more.");
        var carrier = providers.Of(card.FieldId) ?? throw new CarrierException(CarrierFaults.Down, "The field has no carrier any more.");
        return await carrier.Provider.StatusAsync(card.Names.SimId, cancellation) switch
        {
            null => LeaseCauses.SimUnknown,
            { State: SimStates.Terminated } => LeaseCauses.SimTerminated,
            var status when isRepeat && others.Count > 0 && SimStates.Weight(status.State) < SimStates.Weight(wanted) => await SetAsync(carrier, status, wanted, cause, cancellation),

            // Switched on by somebody else, or by a try that was killed before its record.
            var status when SimStates.Weight(status.State) <= SimStates.Weight(wanted) => cause,
            var status when status.State != mine.Wanted => LeaseCauses.SimChangedElsewhere,
            _ when !carrier.Provider.Offers(wanted) => LeaseCauses.SimStaysOff,
            var status => await SetAsync(carrier, status, wanted, cause, cancellation),
        };
    }

    private async Task<string?> SetAsync(FieldCarrier carrier, SimStatus status, string wanted, string? cause, CancellationToken cancellation)
    {
        await gate.SetAsync(carrier.Provider, status, wanted, cancellation);
        return cause;
    }

    private SimCard? CardOf(Lease lease) => CardOf(lease.DeviceId, lease.Target);

    private SimCard? CardOf(string? deviceId, string target) => cards.Card(target) ?? (deviceId is null ? null : cards.Of(deviceId));

    private static bool IsForbidden(FieldCarrier carrier, SimCard card, SimStatus? status) =>
        carrier.Forbidden.Contains(card.Names.SimId) || carrier.Forbidden.Contains(card.Names.Given.Value) || status?.Names.Any(carrier.Forbidden.Contains) == true;

    private async Task<PreviewLine> AtCarrierAsync(SimCard card, FieldCarrier carrier, CancellationToken cancellation)
    {
        try
        {
            return await carrier.Provider.StatusAsync(card.Names.SimId, cancellation) switch
            {
                null => new("response.preview.sim-unknown"),
                var status when IsForbidden(carrier, card, status) => new("response.preview.sim-forbidden"),
                { State: SimStates.Terminated } => new("response.preview.sim-terminated"),
                var status when SimStates.Weight(status.State) >= SimStates.Weight(off.State) => new("response.preview.sim-off-already"),
                _ => new("response.preview." + off.Action),
            };
        }
        catch (CarrierException)
        {
            return new("response.preview.sim-carrier-silent");
        }
    }

    private IEnumerable<PreviewLine> Carries(SimCard card)
    {
        var devices = cards.DevicesOn(card);
        var names = string.Join(", ", devices.Take(MostNames).Select(d => d.Name.Length > 0 ? d.Name : d.DeviceId)) + (devices.Count > MostNames ? ", …" : "");
        yield return new(devices.Count == 1 ? "response.preview.sim-carries-one" : "response.preview.sim-carries", ("count", Whole(devices.Count)), ("devices", names));
        yield return devices.Select(d => readings.Of(d.DeviceId)).Max() is { } last ? Age(clock.GetUtcNow() - last) : new("response.preview.last-reading-none");
    }

    private static PreviewLine Age(TimeSpan age) => age switch
    {
        { TotalMinutes: < 1 } => new("response.preview.last-reading-now"),
        { TotalHours: < 1 } => new("response.preview.last-reading-minutes", ("minutes", Whole((long)age.TotalMinutes))),
        { TotalDays: < 1 } => new("response.preview.last-reading-hours", ("hours", Whole((long)age.TotalHours))),
        _ => new("response.preview.last-reading-days", ("days", Whole((long)age.TotalDays))),
    };

    private static string Whole(long number) => number.ToString(CultureInfo.InvariantCulture);
}
