using Microsoft.Extensions.Configuration;

namespace Sekisho.Gateway;

/// <summary>What the command line says.</summary>
/// <param name="DataFolder">Full path of the data folder.</param>
/// <param name="DevicePort">Port of the device listener; 0 for any free one.</param>
/// <param name="ManagementPort">Port of the management listener; 0 for any free one.</param>
/// <param name="ConfigurationFile">Configuration file; null for sekisho.json in the data folder, if there is one.</param>
/// <param name="Set">Settings as Section:Key=VALUE.</param>
public sealed record StartOptions(string DataFolder, int DevicePort, int ManagementPort, string? ConfigurationFile, IReadOnlyList<string> Set)
{
    /// <summary>Builds the configuration: file, then SEKISHO__ environment variables, then --set.</summary>
    /// <exception cref="Api.Settings.SettingsException">A file that is missing or no JSON, or a --set without "=".</exception>
    internal IConfigurationRoot Configuration()
    {
        var faults = new List<string>();
        var builder = new ConfigurationBuilder();
        var file = ConfigurationFile ?? Path.Combine(DataFolder, "sekisho.json");
        if (File.Exists(file))
        {
            builder.AddJsonFile(file, optional: false, reloadOnChange: false);
        }
        else if (ConfigurationFile is not null)
        {
            faults.Add($"--config = '{ConfigurationFile}': there is no such file.");
        }

        builder.AddEnvironmentVariables("SEKISHO__");
        var values = new Dictionary<string, string?>();
        foreach (var pair in Set)
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                faults.Add($"--set = '{pair}': write it as Section:Key=VALUE.");
                continue;
            }

            values[pair[..at]] = pair[(at + 1)..];
        }

        builder.AddInMemoryCollection(values);
        try
        {
            var root = builder.Build();
            return faults.Count == 0 ? root : throw new Api.Settings.SettingsException(faults);
        }
        catch (InvalidDataException e)
        {
            faults.Add($"{file}: {(e.InnerException ?? e).Message}");
            throw new Api.Settings.SettingsException(faults);
        }
    }
}

/// <summary>What the program ends with.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>A check failed.</summary>
    public const int CheckFailed = 1;

    /// <summary>Wrong use or configuration.</summary>
    public const int WrongUse = 2;
}
