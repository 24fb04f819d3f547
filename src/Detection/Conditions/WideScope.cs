using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions;

/// <summary>Whose conditions of a wider scope a signal concerns; null for nobody's.</summary>
internal delegate string? ScopeKey(in Signal signal);

/// <summary>A scope wider than a device.</summary>
/// <param name="Name">One of <see cref="Scopes"/>.</param>
/// <param name="KeyOf">The subject of a signal.</param>
internal sealed record WideScope(string Name, ScopeKey KeyOf)
{
    /// <summary>
    /// All of them, in the order in which they are judged after the device's own conditions. To add one: a name in <see cref="Scopes"/>, a line
    /// here, the text finding.subject.NAME, and a word in Findings/SubjectKeys.cs when its key identifies somebody.
    /// </summary>
    public static readonly IReadOnlyList<WideScope> All =
    [
        new(Scopes.User, static (in signal) => signal.UserId),
        new(Scopes.Source, static (in signal) => signal.Source.Text),
        new(Scopes.Parent, static (in signal) => signal.Device is null ? null : signal.Device.ParentId ?? signal.DeviceId),
        new(Scopes.Place, static (in signal) => signal.Place),
        new(Scopes.Kind, static (in signal) => signal.Device?.Kind),
        new(Scopes.Field, static (in signal) => signal.FieldId),
    ];

    public static int IndexOf(string name)
    {
        for (var i = 0; i < All.Count; i++)
        {
            if (All[i].Name == name)
            {
                return i;
            }
        }

        return -1;
    }
}
