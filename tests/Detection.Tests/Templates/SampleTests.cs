using System.Text.Json;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Templates;

/// <summary>
/// Replays templates/FIELD/samples/*.json. Each event has at, device or source, and is a message (time, by default its arrival; seq, mode, size)
/// or a refusal (refusal, count), an authentication (auth: its outcome, client) or a fact of the SIM (sim: its session); place is where it is, parent the unit it sits behind; repeat adds further ones every so often, with device times timeEvery apart. Ticks come once a minute.
/// </summary>
public class SampleTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "templates");

    public static TheoryData<string> Samples =>
        [.. Directory.GetFiles(Folder, "*.json", SearchOption.AllDirectories).Where(f => Path.GetFileName(Path.GetDirectoryName(f)) == "samples").Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_template_finds_in_its_sample_what_the_sample_expects_and_nothing_else(string file)
    {
        var sample = JsonSerializer.Deserialize<Sample>(File.ReadAllText(Path.Combine(Folder, file)), JsonSerializerOptions.Web)!;
        var catalog = TemplateCatalog.Load(Folder, new TemplateReader(DetectionFeature.Kinds));
        var directory = new FakeDirectory();
        foreach (var one in sample.Events.Where(e => e.Device is not null))
        {
            directory.SetDevice(one.Device!, one.User, parent: one.Parent);
        }

        var lab = new Lab(catalog.Find(file.Split('/')[0])!, directory: directory);
        lab.Run(Lab.WithTicks(sample.Events.SelectMany(e => e.Expand()), sample.Until));
        Assert.Equal(
            sample.Expect.Select(e => $"{e.At:O} {e.Condition} {e.Key}").Order(StringComparer.Ordinal),
            lab.Findings.Select(f => $"{f.RaisedAt:O} {f.ConditionKey} {f.ScopeKey}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_template_has_samples() => Assert.All(Directory.GetDirectories(Folder), f => Assert.NotEmpty(Directory.GetFiles(Path.Combine(f, "samples"), "*.json")));

    private sealed record Sample(string About, IReadOnlyList<SampleEvent> Events, DateTimeOffset Until, IReadOnlyList<Expected> Expect);

    private sealed record Expected(string Condition, string Key, DateTimeOffset At);

    private sealed record Repeat(int Count, TimeSpan Every, TimeSpan? TimeEvery);

    private sealed record SampleEvent(
        DateTimeOffset At, string? Device, string? User, DateTimeOffset? Time, int? Seq, string? Mode, int? Size, string? Refusal, int? Count, string? Source, Repeat? Repeat, string? Auth, string? Sim, string? Place, string? Parent, string? Client)
    {
        public IEnumerable<GatewayEvent> Expand() => Enumerable.Range(0, Repeat?.Count ?? 1).Select(i =>
        {
            var at = At + ((Repeat?.Every ?? default) * i);
            var time = (Time ?? At) + ((Repeat?.TimeEvery ?? Repeat?.Every ?? default) * i);
            return Refusal is not null
                ? (GatewayEvent)Lab.Refusal(at, Refusal, Device, Source ?? "192.0.2.1", Count ?? 1, Size ?? 0)
                : Auth is not null ? Lab.Authentication(at, Device!, Auth, Source ?? "192.0.2.1", Client, User)
                : Sim is not null ? Lab.Sim(at, Device!, Sim, cell: Place)
                : Lab.Message(at, Device!, time, Seq + i, Mode, Size ?? 100, Source ?? "192.0.2.1") with { Place = Place };
        });
    }
}
