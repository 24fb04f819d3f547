namespace Sekisho.Domain.Detection;

/// <summary>Notes on a finding what somebody outside made of it. Implemented by Detection, called by Response for what a SOC reports back.</summary>
public interface IFindingLabels
{
    /// <summary>Acknowledges the finding, or closes it as a false alarm.</summary>
    /// <param name="finding">The finding.</param>
    /// <param name="falseAlarm">True to close it as a false alarm, false to acknowledge it.</param>
    /// <param name="note">What they say; null keeps the note.</param>
    /// <param name="actor">Who, for the record.</param>
    /// <param name="at">When.</param>
    /// <param name="correlationId">Correlation id of the request.</param>
    /// <returns>False when it is closed already.</returns>
    Task<bool> LabelAsync(Finding finding, bool falseAlarm, string? note, string actor, DateTimeOffset at, string correlationId);
}
