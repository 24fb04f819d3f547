using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Sekisho.Api.Settings;

/// <summary>One settings class of a stage and its section ("Distribution:Limits").</summary>
/// <param name="Section">Key of the section.</param>
/// <param name="Type">The class: settable properties with validation attributes; "Secret" or "Password" in a name masks the value. It may be an
/// <see cref="System.ComponentModel.DataAnnotations.IValidatableObject"/> for rules over several properties.</param>
public sealed record SettingsSection(string Section, Type Type);

/// <summary>One line of what is in force.</summary>
/// <param name="Key">Full key.</param>
/// <param name="Value">Value in force, masked when secret.</param>
/// <param name="Source">"default" or the provider that set it.</param>
public sealed record SettingInForce(string Key, string Value, string Source);

/// <summary>Wrong settings; the message lists every fault with key, value and what is allowed.</summary>
public sealed class SettingsException(IReadOnlyList<string> faults)
    : Exception("The configuration has faults:" + string.Concat(faults.Select(f => Environment.NewLine + "  - " + f)))
{
    /// <summary>Every fault.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}

/// <summary>Registers and checks the settings of all stages.</summary>
public static class SettingsCatalog
{
    /// <summary>Declares a settings class; the bound and checked object is a singleton.</summary>
    public static IServiceCollection AddSettings<T>(this IServiceCollection services, string section)
        where T : class, new()
    {
        services.AddSingleton(new SettingsSection(section, typeof(T)));
        services.AddSingleton(provider => Bound<T>(provider.GetRequiredService<IConfiguration>(), section));
        return services;
    }

    /// <summary>The settings object of a section, bound by the same rules as <see cref="Check"/>.</summary>
    /// <exception cref="SettingsException">Wrong values.</exception>
    public static T Bound<T>(IConfiguration configuration, string section)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var binding = new SectionBinding(configuration, new SettingsSection(section, typeof(T)));
        return binding.Faults.Count == 0 ? (T)binding.Instance : throw new SettingsException(binding.Faults);
    }

    /// <summary>Checks the whole configuration against the declared sections, all faults at once.</summary>
    /// <param name="configuration">Only Sekisho's own providers (file, SEKISHO__ variables, command line).</param>
    /// <param name="sections">Declared sections.</param>
    /// <param name="otherFaults">Faults found before, to be told together with these.</param>
    /// <returns>What is in force.</returns>
    /// <exception cref="SettingsException">Unknown keys or wrong values.</exception>
    public static IReadOnlyList<SettingInForce> Check(IConfigurationRoot configuration, IEnumerable<SettingsSection> sections, params IReadOnlyList<string> otherFaults)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var bindings = sections.Select(s => new SectionBinding(configuration, s)).ToArray();
        var taken = bindings.SelectMany(b => b.Taken).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var known = bindings.SelectMany(b => b.InForce).Select(s => s.Key).ToArray();
        var faults = otherFaults.Concat(bindings.SelectMany(b => b.Faults)).ToList();
        foreach (var (key, value) in configuration.AsEnumerable().OrderBy(e => e.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (value is not null && !taken.Contains(key))
            {
                // A misspelt secret is a secret still.
                var nearest = known.MinBy(k => Distance(k.ToLowerInvariant(), key.ToLowerInvariant()));
                var shown = SettingsMask.IsSecret(key) || (nearest is not null && SettingsMask.IsSecret(nearest)) ? SettingsMask.Hidden : SettingsMask.Text(value);
                faults.Add($"{key} = '{shown}': there is no such setting." + (nearest is null ? "" : $" Did you mean {nearest}?"));
            }
        }

        return faults.Count == 0 ? [.. bindings.SelectMany(b => b.InForce)] : throw new SettingsException(faults);
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var next = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                (diagonal, row[j]) = (row[j], next);
            }
        }

        return row[^1];
    }
}
