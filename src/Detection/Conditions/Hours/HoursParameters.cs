namespace Sekisho.Detection.Conditions.Hours;

/// <summary>Which events an hours condition looks at.</summary>
/// <param name="Authentications">Successful authentications.</param>
/// <param name="Messages">Messages, at the time at which they were taken.</param>
internal sealed record HoursParameters(bool Authentications, bool Messages)
{
    public static HoursParameters Of(string events) => new(events is "authentications" or "both", events is "messages" or "both");

    public bool Concerns(in Signal signal) =>
        (Authentications && signal.Kind == SignalKind.Authentication && signal.What is Domain.Events.AuthenticationOutcomes.Bound or Domain.Events.AuthenticationOutcomes.Renewed)
        || (Messages && signal.Kind == SignalKind.Message);
}
