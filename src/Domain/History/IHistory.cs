using System.Data.Common;

namespace Sekisho.Domain.History;

/// <summary>Keeps what happened. Implemented by History, called by every stage inside the transaction that makes it happen.</summary>
public interface IHistory
{
    /// <summary>Adds a record to the caller's transaction.</summary>
    void Append(HistoryRecord record, DbTransaction transaction);
}

/// <summary>One line of the history.</summary>
public sealed record HistoryRecord
{
    /// <summary>When (UTC).</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>One of <see cref="HistoryKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>What exactly, a stable name ("bound", "suspended", "frequency", "mail", …).</summary>
    public required string What { get; init; }

    /// <summary>Field; null for the gateway.</summary>
    public string? FieldId { get; init; }

    /// <summary>Device, when one is concerned.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Who did it: a device, an account, a lease, "gateway".</summary>
    public required string Actor { get; init; }

    /// <summary>Correlation id; empty when nothing came before it.</summary>
    public required string CorrelationId { get; init; }

    /// <summary>Identifier of the thing itself (finding, lease, chunk, …); null when there is none.</summary>
    public string? Subject { get; init; }

    /// <summary>Details as a JSON object; stored encrypted; null when What says all.</summary>
    public string? Details { get; init; }
}

/// <summary>Stable names of kinds of records.</summary>
public static class HistoryKinds
{
    /// <summary>Data received (kept as chunks, listed as records).</summary>
    public const string DataIn = "data-in";

    /// <summary>Data handed to a field's cloud, or its failure to get there.</summary>
    public const string DataOut = "data-out";

    /// <summary>Authentication outcome.</summary>
    public const string Authentication = "authentication";

    /// <summary>Refused requests.</summary>
    public const string Refusal = "refusal";

    /// <summary>Lifecycle transition of a device.</summary>
    public const string DeviceState = "device-state";

    /// <summary>A finding was raised, closed or noted.</summary>
    public const string Detection = "detection";

    /// <summary>A response was planned, done, failed, undone.</summary>
    public const string Response = "response";

    /// <summary>A command to a device was sent, held, fetched, answered, or ran out.</summary>
    public const string Command = "command";

    /// <summary>An operator did something.</summary>
    public const string Operator = "operator";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [DataIn, DataOut, Authentication, Refusal, DeviceState, Detection, Response, Command, Operator];
}
