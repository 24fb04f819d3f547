using System.Text.Json;
using System.Text.Json.Nodes;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Commands;

/// <summary>A command as people and senders see it.</summary>
internal sealed record CommandView
{
    public required string Id { get; init; }

    public required string DeviceId { get; init; }

    public required string Name { get; init; }

    public required JsonNode Arguments { get; init; }

    /// <summary>What is stored of it cannot be read any more: its device is not given it, and arguments and sender are not known.</summary>
    public bool Damaged { get; init; }

    /// <summary>"key:NAME", "account:NAME", or "gateway".</summary>
    public required string Sender { get; init; }

    public required string State { get; init; }

    /// <summary>Why it is or was held, a stable name.</summary>
    public string? Bound { get; init; }

    /// <summary>The same in the reader's language, with what it was and what is allowed.</summary>
    public string? BoundText { get; init; }

    /// <summary>The response that it belongs to.</summary>
    public string? ResponseId { get; init; }

    /// <summary>Who moved it last.</summary>
    public required string Actor { get; init; }

    /// <summary>That person's reason.</summary>
    public string? Reason { get; init; }

    /// <summary>What the device said.</summary>
    public JsonNode? Answer { get; init; }

    public required DateTimeOffset SentAt { get; init; }

    public required DateTimeOffset ValidUntil { get; init; }

    public DateTimeOffset? FetchedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public required string CorrelationId { get; init; }

    public static CommandView Of(Command command, Texts texts, string language)
    {
        var fault = command.Content.Fault;
        var keptBack = command.State != command.Shown;
        return new CommandView
        {
            Id = command.Id,
            DeviceId = command.DeviceId,
            Name = command.Name,
            Arguments = JsonNode.Parse(command.Content.Arguments)!,
            Damaged = command.IsDamaged,
            Sender = command.Content.Sender,
            State = command.Shown,
            Bound = keptBack ? "read-only" : command.Bound,
            BoundText = keptBack ? texts.Get("distribution.command.bound.read-only", language)
                : fault is null ? null
                : texts.Get("distribution.command.bound." + fault.Bound, language, ("pointer", fault.Pointer ?? ""), ("value", fault.Value), ("allowed", fault.Allowed)),
            ResponseId = command.Holder,
            Actor = command.Content.Actor,
            Reason = command.Content.Reason,
            Answer = command.Content.Answer is { } answer ? JsonNode.Parse(answer) : null,
            SentAt = command.CreatedAt,
            ValidUntil = command.ValidUntil,
            FetchedAt = command.FetchedAt,
            EndedAt = command.EndedAt,
            CorrelationId = command.CorrelationId,
        };
    }
}

/// <summary>What a device is given.</summary>
/// <param name="Commands">In the order in which they are to be done.</param>
internal sealed record CommandsForDevice(IReadOnlyList<CommandForDevice> Commands);

/// <summary>One command for a device.</summary>
internal sealed record CommandForDevice(string Id, string Name, JsonElement Arguments, DateTimeOffset SentAt, DateTimeOffset ValidUntil)
{
    public static CommandForDevice Of(Command command)
    {
        using var arguments = JsonDocument.Parse(command.Content.Arguments);
        return new CommandForDevice(command.Id, command.Name, arguments.RootElement.Clone(), command.CreatedAt, command.ValidUntil);
    }
}

/// <summary>What became of a device's answer.</summary>
/// <param name="State">The state of the command.</param>
internal sealed record AnswerTaken(string State);

/// <summary>Why a person decided so.</summary>
/// <param name="Reason">1 to 500 characters.</param>
internal sealed record CommandReason(string? Reason);

/// <summary>A command list in force. Revision 0 means that there is none.</summary>
/// <param name="Revision">Counts up with each change.</param>
/// <param name="Commands">What is allowed.</param>
/// <param name="Note">What follows from it, in the reader's language.</param>
internal sealed record CommandListView(long Revision, IReadOnlyList<AllowedCommand> Commands, string Note);

/// <summary>The list to put in force, whole. The revision, when given, must be the one in force.</summary>
[System.Text.Json.Serialization.JsonUnmappedMemberHandling(System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow)]
internal sealed record CommandListChange(IReadOnlyList<AllowedCommand>? Commands, long? Revision);
