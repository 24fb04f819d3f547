using System.Text.Json.Serialization;
using Sekisho.Distribution.Fields;
using Sekisho.Storage;

namespace Sekisho.Distribution.Commands;

/// <summary>What a field allows, as its administrator writes it. What no entry allows is held.</summary>
/// <param name="Commands">The entries; a command goes when any of them allows it.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CommandListDocument(IReadOnlyList<AllowedCommand>? Commands);

/// <summary>One command that is allowed. A bound that is left out does not bind, except for arguments: those that are not named are held.</summary>
/// <param name="Name">What the device is to do.</param>
/// <param name="Kinds">Kinds of devices; null for all.</param>
/// <param name="Modes">Operating modes that the device told last; null for all.</param>
/// <param name="Senders">"key:NAME" or "account:NAME"; null for all who have the right.</param>
/// <param name="When">Days and hours in the field's zone; null for always.</param>
/// <param name="Arguments">Bounds of arguments; null for none.</param>
/// <param name="OtherArguments">Arguments that are not named are allowed.</param>
/// <param name="PerHour">Most of them to one device in an hour; null for no bound.</param>
/// <param name="Sensitive">It always waits for a person.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AllowedCommand(
    string? Name,
    IReadOnlyList<string>? Kinds = null,
    IReadOnlyList<string>? Modes = null,
    IReadOnlyList<string>? Senders = null,
    IReadOnlyList<AllowedHours>? When = null,
    IReadOnlyList<AllowedArgument>? Arguments = null,
    bool OtherArguments = false,
    int? PerHour = null,
    bool Sensitive = false);

/// <summary>A window of the week; one over midnight belongs to the day on which it begins, equal ends mean the whole day.</summary>
/// <param name="Days">"mon" to "sun"; null for every day.</param>
/// <param name="From">"HH:mm", inclusive.</param>
/// <param name="To">"HH:mm", exclusive.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AllowedHours(IReadOnlyList<string>? Days, string? From, string? To);

/// <summary>Bounds of one argument.</summary>
/// <param name="Pointer">Where it is (RFC 6901); a segment "*" stands for every element of an array.</param>
/// <param name="Min">Smallest number; then it must be a number.</param>
/// <param name="Max">Largest number; then it must be a number.</param>
/// <param name="OneOf">Texts that are allowed; then it must be a text.</param>
/// <param name="MaxLength">Most characters; then it must be a text.</param>
/// <param name="Required">It must be there.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AllowedArgument(string? Pointer, double? Min = null, double? Max = null, IReadOnlyList<string>? OneOf = null, int? MaxLength = null, bool Required = false);

/// <summary>The command list of each field. Any thread; a lookup takes no lock.</summary>
internal sealed class CommandLists(Databases databases, TimeProvider clock) : FieldDocuments<CommandListDocument, CommandGate>(databases, "command_list", clock)
{
    /// <summary>The gate in force; null where the field has no list.</summary>
    public CommandGate? Of(string fieldId) => Model(fieldId);

    protected override CommandGate Build(CommandListDocument document) => new(document);
}
