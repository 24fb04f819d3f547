using System.ComponentModel.DataAnnotations;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Settings;

namespace Sekisho.Api.Tests;

public class SettingsTests
{
    private static readonly SettingsSection[] Sections = [new("Stage:Limits", typeof(Limits)), new("Stage:Mail", typeof(Mail))];

    [Fact]
    public void Without_configuration_the_defaults_are_in_force()
    {
        var inForce = Check([]).ToDictionary(s => s.Key);
        Assert.Equal(new SettingInForce("Stage:Limits:PerSecond", "100", "default"), inForce["Stage:Limits:PerSecond"]);
        Assert.Equal("a, b", inForce["Stage:Limits:Names"].Value);
        Assert.Equal("00:00:30", inForce["Stage:Limits:Wait"].Value);
    }

    [Fact]
    public void An_unknown_key_is_named_with_its_value_and_the_nearest_known_one()
    {
        var faults = Faults(("Stage:Limits:PerSecnd", "5"), ("Elsewhere", "x"), ("Logging:LogLevel:Default", "Debug"));
        Assert.Contains("Stage:Limits:PerSecnd = '5': there is no such setting. Did you mean Stage:Limits:PerSecond?", faults);
        Assert.Equal(3, faults.Count);
    }

    [Fact]
    public void A_key_below_a_plain_setting_is_unknown() =>
        Assert.StartsWith("Stage:Limits:PerSecond:Burst = '5': there is no such setting", Faults(("Stage:Limits:PerSecond:Burst", "5")).Single(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Stage:Limits:PerSecond", "many", "whole number")]
    [InlineData("Stage:Limits:PerSecond", "99999999999999999999", "whole number")]
    [InlineData("Stage:Limits:PerSecond", "1.5", "whole number")]
    [InlineData("Stage:Limits:PerSecond", "", "whole number")]
    [InlineData("Stage:Limits:Share", "half", "number")]
    [InlineData("Stage:Limits:Strict", "maybe", "true or false")]
    [InlineData("Stage:Limits:Wait", "soon", "duration")]
    [InlineData("Stage:Limits:Wait", "30", "00:00:30")]
    [InlineData("Stage:Limits:Mode", "sideways", "Fast, Safe")]
    [InlineData("Stage:Limits:Names", "a,b", "Stage:Limits:Names:0")]
    [InlineData("Stage:Limits:Numbers:1", "x", "Stage:Limits:Numbers")]
    [InlineData("Stage:Limits:Numbers:first:second", "1", "Stage:Limits:Numbers")]
    public void A_value_of_the_wrong_type_is_named_with_what_is_allowed(string key, string value, string allowed)
    {
        var fault = Faults((key, value)).Single();
        Assert.StartsWith(key.Split(":1")[0].Split(":first")[0], fault, StringComparison.Ordinal);
        Assert.Contains(allowed, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Stage:Limits:PerSecond", "0")]
    [InlineData("Stage:Limits:PerSecond", "100001")]
    [InlineData("Stage:Limits:Share", "1.01")]
    [InlineData("Stage:Limits:Wait", "01:00:01")]
    public void A_value_out_of_range_is_named_with_the_range(string key, string value)
    {
        var fault = Faults((key, value)).Single();
        Assert.StartsWith($"{key} = '{value}'", fault, StringComparison.Ordinal);
        Assert.Contains("between", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_are_told_at_once_and_the_message_lists_them()
    {
        var e = Assert.Throws<SettingsException>(() => Check([("Stage:Limits:PerSecond", "x"), ("Stage:Limits:Share", "7"), ("Stage:Mail:Prt", "25"), ("Stage:Mail:From", "nobody")]));
        Assert.Equal(4, e.Faults.Count);
        Assert.All(e.Faults, f => Assert.Contains(f, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Rules_over_several_properties_hold_too()
    {
        Assert.Contains("Stage:Mail:Port, Tls: port 25 has no TLS.", Faults(("Stage:Mail:Tls", "true"), ("Stage:Mail:Port", "25")).Single(), StringComparison.Ordinal);
        Check([("Stage:Mail:Tls", "true"), ("Stage:Mail:Port", "465")]);
    }

    [Fact]
    public void A_list_replaces_its_default_in_what_is_shown_and_in_what_is_used()
    {
        var configuration = Configuration(("Stage:Limits:Names:0", "c"), ("Stage:Limits:Numbers:0", "1"), ("Stage:Limits:Numbers:1", "2"));
        var shown = SettingsCatalog.Check(configuration, Sections).ToDictionary(s => s.Key);
        Assert.Equal("c", shown["Stage:Limits:Names"].Value);
        Assert.Contains("Memory", shown["Stage:Limits:Names"].Source, StringComparison.Ordinal);
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSettings<Limits>("Stage:Limits").BuildServiceProvider();
        var used = services.GetRequiredService<Limits>();
        Assert.Equal(["c"], used.Names);
        Assert.Equal([1, 2], used.Numbers);
        Assert.Equal(100, used.PerSecond);
    }

    [Fact]
    public void Secrets_are_masked_wherever_a_value_is_shown()
    {
        var inForce = Check(
            [("Stage:Mail:ConnectionSecret", "MARKER"), ("Stage:Mail:Password", "MARKER"), ("Stage:Mail:Url", "smtp://user:MARKER@host/"), ("Stage:Mail:Headers:apikey", "MARKER"), ("Stage:Mail:Store", "Host=h;Password=MARKER;Port=1")]);
        Assert.DoesNotContain(inForce, s => s.Value.Contains("MARKER", StringComparison.Ordinal));
        Assert.Equal("smtp://user:***@host/", inForce.Single(s => s.Key == "Stage:Mail:Url").Value);
        Assert.Equal("Host=h;Password=***;Port=1", inForce.Single(s => s.Key == "Stage:Mail:Store").Value);
        Assert.Equal("", Check([]).Single(s => s.Key == "Stage:Mail:Password").Value);

        var faults = Faults(("Stage:Mail:ConnectionSecrt", "MARKER"), ("Stage:Mail:Passwrd", "MARKER"), ("Stage:Mail:ShortSecret", "MARKER"));
        Assert.Equal(3, faults.Count);
        Assert.DoesNotContain(faults, f => f.Contains("MARKER", StringComparison.Ordinal));
    }

    [Fact]
    public void The_last_provider_that_sets_a_value_is_its_source()
    {
        var configuration = new ConfigurationBuilder()
            .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes("""{"Stage":{"Limits":{"PerSecond":5,"Share":0.5}}}""")))
            .AddInMemoryCollection([new("stage:limits:persecond", "7")])
            .Build();
        var inForce = SettingsCatalog.Check(configuration, Sections).ToDictionary(s => s.Key);
        Assert.Equal("7", inForce["Stage:Limits:PerSecond"].Value);
        Assert.Contains("Memory", inForce["Stage:Limits:PerSecond"].Source, StringComparison.Ordinal);
        Assert.Contains("Json", inForce["Stage:Limits:Share"].Source, StringComparison.Ordinal);
        Assert.Equal("0.5", inForce["Stage:Limits:Share"].Value);
    }

    [Fact]
    public void A_settings_object_with_wrong_values_is_not_handed_out()
    {
        var services = new ServiceCollection().AddSingleton<IConfiguration>(Configuration(("Stage:Limits:PerSecond", "0"))).AddSettings<Limits>("Stage:Limits").BuildServiceProvider();
        Assert.Throws<SettingsException>(services.GetRequiredService<Limits>);
    }

    [Fact]
    public void Random_keys_and_values_give_faults_and_never_another_exception()
    {
        var random = new Random(11);
        var keys = Check([]).Select(s => s.Key).ToArray();
        for (var i = 0; i < 2000; i++)
        {
            var pairs = Enumerable.Range(0, random.Next(1, 5)).Select(_ =>
            {
                var key = keys[random.Next(keys.Length)] + (random.Next(3) == 0 ? ":" + random.Next(3) : "");
                return (key, string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => (char)random.Next(32, 127))));
            }).DistinctBy(p => p.key).ToArray();
            try
            {
                Check(pairs);
            }
            catch (SettingsException e)
            {
                Assert.NotEmpty(e.Faults);
            }
        }
    }

    private static IConfigurationRoot Configuration(params (string Key, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(v => KeyValuePair.Create(v.Key, (string?)v.Value))).Build();

    private static IReadOnlyList<SettingInForce> Check((string Key, string Value)[] values) => SettingsCatalog.Check(Configuration(values), Sections);

    private static IReadOnlyList<string> Faults(params (string Key, string Value)[] values) => Assert.Throws<SettingsException>(() => Check(values)).Faults;

    internal enum Mode
    {
        Fast,
        Safe,
    }

    internal sealed class Limits
    {
        [Range(1, 100_000)]
        public int PerSecond { get; set; } = 100;

        [Range(0.0, 1.0)]
        public double Share { get; set; } = 0.1;

        public bool Strict { get; set; }

        [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
        public TimeSpan Wait { get; set; } = TimeSpan.FromSeconds(30);

        public Mode Mode { get; set; }

        public string[] Names { get; set; } = ["a", "b"];

        public int[] Numbers { get; set; } = [];

        public int? Most { get; set; }

        public string Computed => "not a setting";
    }

    internal sealed class Mail : IValidatableObject
    {
        [EmailAddress]
        public string? From { get; set; }

        public int Port { get; set; } = 587;

        public bool Tls { get; set; }

        public string Url { get; set; } = "";

        public string Store { get; set; } = "";

        public string ConnectionSecret { get; set; } = "";

        public string Password { get; set; } = "";

        [MinLength(20)]
        public string ShortSecret { get; set; } = "long enough to be a default";

        public Dictionary<string, string> Headers { get; set; } = [];

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Tls && Port == 25)
            {
                yield return new ValidationResult("port 25 has no TLS.", [nameof(Port), nameof(Tls)]);
            }
        }
    }
}
