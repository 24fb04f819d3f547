using Sekisho.Detection.Conditions;

namespace Sekisho.Detection.Templates;

/// <summary>A value that a template does not allow.</summary>
/// <param name="Key">"CONDITION.PARAMETER" as given.</param>
/// <param name="Text">The value as given.</param>
/// <param name="Parameter">The parameter; null when there is none of that name.</param>
internal sealed record WrongValue(string Key, string Text, TemplateParameter? Parameter);

/// <summary>A field's own values for a template's parameters. Pure.</summary>
internal static class TemplateValues
{
    /// <summary>Reads values as people write them.</summary>
    /// <returns>The values that are allowed.</returns>
    public static IReadOnlyDictionary<string, ParameterValue> Check(Template template, IReadOnlyDictionary<string, string> given, out IReadOnlyList<WrongValue> wrong)
    {
        var values = new Dictionary<string, ParameterValue>();
        var faults = new List<WrongValue>();
        foreach (var (key, text) in given.OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            if (Parameter(template, key) is { } parameter && ParameterText.Read(parameter.Spec, text, parameter.Least, parameter.Most) is { } value)
            {
                values[key] = value;
            }
            else
            {
                faults.Add(new WrongValue(key, text, Parameter(template, key)));
            }
        }

        wrong = faults;
        return values;
    }

    /// <summary>The values as people write them.</summary>
    public static IReadOnlyDictionary<string, string> Write(Template template, IReadOnlyDictionary<string, ParameterValue> values) =>
        values.ToDictionary(v => v.Key, v => ParameterText.Write(Parameter(template, v.Key)!.Spec, v.Value));

    /// <summary>A field's own values taken over into another version of the template (or another template).</summary>
    /// <param name="from">Whose values they are.</param>
    /// <param name="to">Where they go.</param>
    /// <param name="left">Those that it has no place for, or does not allow; they become its defaults.</param>
    public static IReadOnlyDictionary<string, ParameterValue> Carry(FieldTemplate from, Template to, out IReadOnlyList<WrongValue> left) => Check(to, Write(from.Template, from.Values), out left);

    private static TemplateParameter? Parameter(Template template, string key)
    {
        var dot = key.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? null : template.Conditions.FirstOrDefault(c => c.Key == key[..dot])?.Parameters.FirstOrDefault(p => p.Spec.Name == key[(dot + 1)..]);
    }
}
