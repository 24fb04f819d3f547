using System.Net;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Response.Soc.Events;

/// <summary>One event as a receiver gets it: what its marks do not allow is left out already. The formats write this and know nothing else. Immutable.</summary>
internal sealed record SocEvent
{
    /// <summary>Name of the gateway and position of the record, "gate-1/4711": a repeat has the same.</summary>
    public required string Id { get; init; }

    /// <summary>When, with the offset of the field's zone.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>One of the history's kinds, or "soc" for what is said about the sending itself.</summary>
    public required string Kind { get; init; }

    /// <summary>What exactly, a stable name.</summary>
    public required string What { get; init; }

    /// <summary>A few words for people.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence for people.</summary>
    public required string Message { get; init; }

    /// <summary>Level of the finding or of the response's finding; null for what has none.</summary>
    public string? Level { get; init; }

    public string? Risk { get; init; }

    public string? Threat { get; init; }

    public string? Condition { get; init; }

    public string? ConditionKey { get; init; }

    /// <summary>"act", "shadow" or "suggest"; null without a finding.</summary>
    public string? Effect { get; init; }

    /// <summary>State of a response; outcome of an operator's action.</summary>
    public string? State { get; init; }

    public required string Gateway { get; init; }

    public string? FieldId { get; init; }

    public string? FieldName { get; init; }

    /// <summary>One of the fourteen sectors; null for none.</summary>
    public string? Sector { get; init; }

    public string? DeviceId { get; init; }

    public string? DeviceName { get; init; }

    public string? DeviceKind { get; init; }

    /// <summary>Who did it.</summary>
    public string? Actor { get; init; }

    /// <summary>Network address or network of the sender; a word where many are counted as one.</summary>
    public string? Address { get; init; }

    /// <summary>The address when it is that of one sender.</summary>
    public IPAddress? Ip => Address is { } text && text.AsSpan().ContainsAny('.', ':') && IPAddress.TryParse(text, out var ip) ? ip : null;

    /// <summary>"success", "failure" or "unknown"; null for what does neither.</summary>
    public string? Outcome => Kind switch
    {
        HistoryKinds.DeviceState => Success,
        HistoryKinds.Authentication => OutcomeOf(State ?? What),
        _ => State is null ? null : OutcomeOf(State),
    };

    /// <summary>Says what became of a detection, or that something is over; it is no alarm of its own.</summary>
    public bool IsAboutFinding => Kind == HistoryKinds.Detection
        && (HasEnded || What.StartsWith("finding-", StringComparison.Ordinal) || What.StartsWith("exception-", StringComparison.Ordinal) || What.StartsWith("soc-", StringComparison.Ordinal));

    /// <summary>What a sensor told of is over.</summary>
    public bool HasEnded => Kind == HistoryKinds.Detection && What.StartsWith("sensor-", StringComparison.Ordinal) && What.EndsWith("-ended", StringComparison.Ordinal);

    /// <summary>A response that keeps the device from talking.</summary>
    public bool Isolates => Kind == HistoryKinds.Response
        && What is "suspend-authentication" or "suspend-sim" or "deactivate-sim" or "block-network" or "quarantine-network" or "quarantine" or "order-radio-off";

    public required string CorrelationId { get; init; }

    public string? FindingId { get; init; }

    public string? LeaseId { get; init; }

    public IReadOnlyList<Technique> Techniques { get; init; } = [];

    /// <summary>Everything else, by name.</summary>
    public IReadOnlyDictionary<string, string> Details { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Names of properties that were left out because the receiver is not allowed them (or for lack of room).</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    public const string Success = "success";
    public const string Failure = "failure";

    private static string OutcomeOf(string state) => state switch
    {
        "failed" or "refused" or AuthenticationOutcomes.WrongSecret or AuthenticationOutcomes.Suspended => Failure,
        "done" or "undone" or "active" or AuthenticationOutcomes.Bound or AuthenticationOutcomes.Renewed => Success,
        _ => "unknown",
    };
}
