using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Sekisho.Api.Settings;

/// <summary>One section bound to its class, property by property, so that every fault is found and a list replaces its default instead of adding to it. One thread.</summary>
internal sealed class SectionBinding
{
    private readonly IConfiguration _configuration;
    private readonly List<string> _faults = [];
    private readonly List<SettingInForce> _inForce = [];
    private readonly List<string> _taken = [];

    public SectionBinding(IConfiguration configuration, SettingsSection section)
    {
        _configuration = configuration;
        Instance = Activator.CreateInstance(section.Type)!;
        foreach (var property in section.Type.GetProperties().Where(p => p.SetMethod is { IsPublic: true }))
        {
            Bind(property, section.Section + ":" + property.Name);
        }

        if (_faults.Count == 0 && Instance is IValidatableObject whole)
        {
            _faults.AddRange(whole.Validate(new ValidationContext(Instance)).Select(r => $"{section.Section}:{string.Join(", ", r.MemberNames)}: {r.ErrorMessage}"));
        }
    }

    /// <summary>The settings object; only good when there are no faults.</summary>
    public object Instance { get; }

    public IReadOnlyList<string> Faults => _faults;

    public IReadOnlyList<SettingInForce> InForce => _inForce;

    /// <summary>Keys of the configuration that this section has judged, rightly or wrongly set.</summary>
    public IReadOnlyList<string> Taken => _taken;

    private void Bind(PropertyInfo property, string key)
    {
        var section = _configuration.GetSection(key);
        var nested = property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType);
        _taken.Add(key);
        if (nested)
        {
            _taken.AddRange(section.AsEnumerable().Select(e => e.Key));
        }

        if (section.Exists() && (nested || section.Value is not null))
        {
            Set(property, key, section, nested);
        }

        _inForce.Add(new SettingInForce(key, SettingsMask.Shown(key, property.GetValue(Instance)), SourceOf(key, nested)));
    }

    private void Set(PropertyInfo property, string key, IConfigurationSection section, bool nested)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;

        // "30" would be thirty days, which nobody means who writes it.
        if (type == typeof(TimeSpan) && long.TryParse(section.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
        {
            _faults.Add($"{key} = '{section.Value}': give a duration as [days.]hours:minutes:seconds, for example 00:00:30.");
            return;
        }

        if (nested && section.Value is { Length: > 0 })
        {
            _faults.Add($"{key} = '{SettingsMask.Shown(key, section.Value)}': this is a list; set {key}:0, {key}:1 and so on.");
            return;
        }

        object? value;
        try
        {
            value = section.Get(property.PropertyType, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            _faults.Add(nested
                ? $"{key}: {(e.InnerException ?? e).Message}"
                : $"{key} = '{SettingsMask.Shown(key, section.Value)}': this is no {TypeName(type)}.");
            return;
        }

        property.SetValue(Instance, value);
        var results = new List<ValidationResult>();
        if (!Validator.TryValidateProperty(value, new ValidationContext(Instance) { MemberName = property.Name }, results))
        {
            _faults.AddRange(results.Select(r => $"{key} = '{SettingsMask.Shown(key, value)}': {r.ErrorMessage}"));
        }
    }

    private string SourceOf(string key, bool nested)
    {
        if (_configuration is not IConfigurationRoot root)
        {
            return "default";
        }

        return root.Providers.LastOrDefault(p => p.TryGet(key, out _) || (nested && p.GetChildKeys([], key).Any()))?.ToString() ?? "default";
    }

    private static string TypeName(Type type) =>
        type.IsEnum ? "value among " + string.Join(", ", Enum.GetNames(type))
        : type.Name switch
        {
            nameof(Int32) or nameof(Int64) => "whole number in its range",
            nameof(Double) => "number",
            nameof(Boolean) => "true or false",
            nameof(TimeSpan) => "duration such as 00:00:30",
            var name => name,
        };
}
