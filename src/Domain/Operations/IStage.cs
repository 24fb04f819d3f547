namespace Sekisho.Domain.Operations;

/// <summary>A running part of the flow that a maintainer can watch and hold. Implemented by each stage with a loop, used by Operations. Any thread.</summary>
public interface IStage
{
    /// <summary>Stable name: "journal", "detection", "forwarding", "response".</summary>
    string Name { get; }

    /// <summary>State now.</summary>
    StageStatus Status { get; }

    /// <summary>Stops taking new work after the present piece; what arrives waits in its durable queue. Survives no restart.</summary>
    void Pause();

    /// <summary>Goes on.</summary>
    void Resume();
}

/// <summary>How a stage is doing.</summary>
/// <param name="Healthy">False when it cannot do its work now.</param>
/// <param name="Paused">Held by a maintainer.</param>
/// <param name="Waiting">Pieces of work waiting (events, chunks, responses).</param>
/// <param name="Lag">Age of the oldest piece waiting; zero when none.</param>
/// <param name="Fault">What is wrong, for people; null when healthy.</param>
public readonly record struct StageStatus(bool Healthy, bool Paused, long Waiting, TimeSpan Lag, string? Fault);

/// <summary>Hash-chained log of what operators do. Implemented by Operations, called by the API for each route that changes something.</summary>
public interface IOperatorAudit
{
    /// <summary>Adds an entry and returns when it is durable.</summary>
    Task RecordAsync(OperatorAction action, CancellationToken cancellation);
}

/// <summary>What an operator asked for.</summary>
/// <param name="Actor">Account name or API key name.</param>
/// <param name="Action">Stable name ("device.register", …).</param>
/// <param name="FieldId">Field concerned; null for the gateway.</param>
/// <param name="Target">What it was done to: route values, no secrets.</param>
/// <param name="Outcome">"asked" before it is done; "refused" or "failed" when it did not happen; "broken-off" when the caller went away, so that it may have happened.</param>
/// <param name="CorrelationId">Correlation id of the request.</param>
public sealed record OperatorAction(string Actor, string Action, string? FieldId, string Target, string Outcome, string CorrelationId);
