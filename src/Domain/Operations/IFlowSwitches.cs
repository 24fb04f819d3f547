namespace Sekisho.Domain.Operations;

/// <summary>Which steps of the flow a field has switched on. Implemented by Distribution; read by Detection and History. Any thread; memory only.</summary>
public interface IFlowSwitches
{
    /// <summary>The field's switches; the same object until they change.</summary>
    FlowSwitches Of(string fieldId);
}

/// <summary>Steps of the flow of a field's messages. What keeps messages safe (durability, the ledger, conditions on behaviour) has no switch.</summary>
/// <param name="Sampling">The content of messages is shown to conditions on content and to their learners.</param>
/// <param name="Statistics">The traffic of each device is told to detection minute by minute.</param>
/// <param name="Validation">Messages must be unambiguous JSON: no name twice in one object. Without it only well-formed JSON is asked for.</param>
/// <param name="Forwarding">Messages go to the field's cloud; without it they are dropped with the reason "forwarding-off".</param>
/// <param name="Logging">Refusals and repeats are written into the history.</param>
public sealed record FlowSwitches(bool Sampling, bool Statistics, bool Validation, bool Forwarding, bool Logging)
{
    /// <summary>Everything on.</summary>
    public static readonly FlowSwitches Default = new(Sampling: true, Statistics: true, Validation: true, Forwarding: true, Logging: true);
}
