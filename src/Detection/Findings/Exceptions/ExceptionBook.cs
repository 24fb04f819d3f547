using System.Collections.Frozen;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Findings.Exceptions;

/// <summary>What a condition is about to claim, as exceptions look at it.</summary>
/// <param name="FieldId">Field concerned; null for the gateway.</param>
/// <param name="ConditionKey">Key of the condition.</param>
/// <param name="Scope">Scope of the condition.</param>
/// <param name="Subject">Which device, user, source …</param>
/// <param name="Device">The device concerned; null when none is.</param>
/// <param name="Place">Where it is; null when unknown.</param>
/// <param name="Value">What exactly is claimed (<see cref="Evidence.Claim"/>).</param>
/// <param name="At">Arrival time.</param>
internal sealed record Claim(string? FieldId, string ConditionKey, string Scope, string Subject, DeviceProfile? Device, string? Place, string? Value, DateTimeOffset At);

/// <summary>
/// All exceptions in force, in the order of their identifiers. Immutable; each event makes another. It belongs to the lanes' state: kept in the
/// table detection_exception, written in the lanes' transaction, so that it always stands at the lanes' position.
/// </summary>
internal sealed class ExceptionBook
{
    /// <summary>Most exceptions that a finding lists.</summary>
    public const int MostListed = 16;

    public static readonly ExceptionBook Empty = new(FrozenDictionary<string, ExceptionChangedEvent>.Empty);

    private readonly FrozenDictionary<string, ExceptionChangedEvent> _byId;
    private readonly FrozenDictionary<string, ExceptionChangedEvent[]> _byField;

    private ExceptionBook(FrozenDictionary<string, ExceptionChangedEvent> byId)
    {
        _byId = byId;
        _byField = byId.Values.OrderBy(e => e.ExceptionId, StringComparer.Ordinal).GroupBy(e => e.FieldId ?? "").ToFrozenDictionary(g => g.Key, g => g.ToArray());
    }

    public IEnumerable<ExceptionChangedEvent> All => _byId.Values.OrderBy(e => e.ExceptionId, StringComparer.Ordinal);

    public static ExceptionBook Of(IEnumerable<ExceptionChangedEvent> inForce) => new(inForce.ToFrozenDictionary(e => e.ExceptionId));

    /// <summary>The exceptions of a field (null: of the gateway).</summary>
    public IReadOnlyList<ExceptionChangedEvent> For(string? fieldId) => _byField.GetValueOrDefault(fieldId ?? "") ?? [];

    public ExceptionBook With(ExceptionChangedEvent change)
    {
        var all = _byId.ToDictionary();
        if (change.InForce)
        {
            all[change.ExceptionId] = change;
        }
        else if (!all.Remove(change.ExceptionId))
        {
            return this;
        }

        return new ExceptionBook(all.ToFrozenDictionary());
    }

    /// <summary>Tries every exception that is about the condition.</summary>
    /// <param name="claim">What is claimed.</param>
    /// <param name="tried">Those that did not hold, and why; complete only when none holds.</param>
    /// <returns>The one that allows it; null when none does.</returns>
    public ExceptionChangedEvent? Try(Claim claim, out IReadOnlyList<TriedException> tried)
    {
        var misses = new List<TriedException>();
        foreach (var exception in For(claim.FieldId))
        {
            if ((exception.ConditionKey is { } key && key != claim.ConditionKey) || (exception.Scope is { } scope && scope != claim.Scope))
            {
                continue;
            }

            if (Miss(exception, claim) is not { } why)
            {
                tried = misses;
                return exception;
            }

            if (misses.Count < MostListed)
            {
                misses.Add(new TriedException(exception.ExceptionId, exception.Kind, why));
            }
        }

        tried = misses;
        return null;
    }

    private static string? Miss(ExceptionChangedEvent exception, Claim claim) =>
        exception.Subject is { } subject && subject != claim.Subject ? ExceptionMisses.OtherSubject
        : exception.Group is { } group && !IsIn(group, claim.Device, claim.Place) ? ExceptionMisses.OtherGroup
        : exception.Value is { } value && value != claim.Value ? ExceptionMisses.OtherValue
        : exception.Until is { } until && claim.At >= until ? ExceptionMisses.Expired
        : null;

    /// <summary>True when a device, at a place, belongs to a group.</summary>
    public static bool IsIn(string group, DeviceProfile? device, string? place)
    {
        var colon = group.IndexOf(':', StringComparison.Ordinal);
        var name = group[(colon + 1)..];
        return (colon < 0 ? "" : group[..colon]) switch
        {
            "kind" => device?.Kind == name,
            "parent" => device is not null && (device.ParentId == name || device.DeviceId == name),
            "user" => device?.UserId == name,
            "place" => place == name,
            _ => false,
        };
    }
}
