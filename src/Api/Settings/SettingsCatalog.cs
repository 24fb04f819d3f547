using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Sekisho.Api.Settings;

/// <summary>One settings class of a stage and its section ("Distribution:Limits").</summary>
/// <param name="Section">Key of the section.</param>
/// <param name="Type">The class: settable properties with validation attributes; "Secret" in a name masks the value.</param>
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
    /// <summary>Sections that the framework owns and the catalog does not judge.</summary>
    private static readonly string[] Foreign = ["Logging"];

    /// <summary>Declares a settings class; the bound and checked object is a singleton.</summary>
    public static IServiceCollection AddSettings<T>(this IServiceCollection services, string section)
        where T : class, new()
    {
        services.AddSingleton(new SettingsSection(section, typeof(T)));
        services.AddSingleton(provider => provider.GetRequiredService<IConfiguration>().GetSection(section).Get<T>() ?? new T());
        return services;
    }

    /// <summary>Checks the whole configuration against the declared sections, all faults at once.</summary>
    /// <param name="configuration">Only Sekisho's own providers (file, SEKISHO__ variables, command line).</param>
    /// <param name="sections">Declared sections.</param>
    /// <returns>What is in force.</returns>
    /// <exception cref="SettingsException">Unknown keys or wrong values.</exception>
    public static IReadOnlyList<SettingInForce> Check(IConfigurationRoot configuration, IEnumerable<SettingsSection> sections)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var faults = new List<string>();
        var inForce = new List<SettingInForce>();
        var known = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var section in sections)
        {
            var instance = Activator.CreateInstance(section.Type)!;
            foreach (var property in section.Type.GetProperties().Where(p => p.CanWrite))
            {
                var key = section.Section + ":" + property.Name;
                known.Add(key);
                Bind(configuration, instance, property, key, faults, known);
                var value = property.GetValue(instance);
                var source = configuration.Providers.LastOrDefault(p => p.TryGet(key, out _))?.ToString() ?? "default";
                inForce.Add(new SettingInForce(key, Shown(property.Name, value), source));
            }
        }

        foreach (var (key, value) in configuration.AsEnumerable())
        {
            if (value is not null && !known.Contains(key) && !known.Contains(string.Join(':', key.Split(':')[..^1])) && !Foreign.Contains(key.Split(':')[0], StringComparer.OrdinalIgnoreCase))
            {
                faults.Add($"{key} = '{value}': there is no such setting. {Nearest(key, known)}");
            }
        }

        return faults.Count == 0 ? inForce : throw new SettingsException(faults);
    }

    private static void Bind(IConfiguration configuration, object instance, PropertyInfo property, string key, List<string> faults, HashSet<string> known)
    {
        var section = configuration.GetSection(key);
        if (!section.Exists())
        {
            return;
        }

        try
        {
            var value = section.Get(property.PropertyType);
            property.SetValue(instance, value);
            var results = new List<ValidationResult>();
            if (!Validator.TryValidateProperty(value, new ValidationContext(instance) { MemberName = property.Name }, results))
            {
                faults.AddRange(results.Select(r => $"{key} = '{Shown(property.Name, value)}': {r.ErrorMessage}"));
            }

            foreach (var child in section.GetChildren())
            {
                known.Add(child.Path);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            faults.Add($"{key} = '{section.Value}': this is no {TypeName(property.PropertyType)}.");
        }
    }

    private static string TypeName(Type type) => (Nullable.GetUnderlyingType(type) ?? type).Name switch
    {
        nameof(Int32) or nameof(Int64) => "whole number",
        nameof(Double) => "number",
        nameof(Boolean) => "true or false",
        nameof(TimeSpan) => "duration such as 00:00:30",
        var name => name,
    };

    private static string Shown(string name, object? value) =>
        value is null ? "" : name.Contains("Secret", StringComparison.Ordinal) || name.Contains("Password", StringComparison.Ordinal) ? "***"
        : value is string[] list ? string.Join(", ", list)
        : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static string Nearest(string key, IEnumerable<string> known)
    {
        var best = known.MinBy(k => Distance(k.ToLowerInvariant(), key.ToLowerInvariant()));
        return best is null ? "" : $"Did you mean {best}?";
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
