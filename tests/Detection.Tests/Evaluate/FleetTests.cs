using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Detection.Evaluate.Fleets;
using Sekisho.Domain.Events;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Evaluate;

public class FleetTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "templates");
    private static readonly TimeZoneInfo Tokyo = TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo");

    [Theory]
    [InlineData(0, 2.9957)]
    [InlineData(1, 4.7439)]
    [InlineData(3, 7.7537)]
    [InlineData(10, 16.9622)]
    [InlineData(100, 118.0793)]
    public void The_upper_bound_of_a_count_is_the_exact_one(long count, double bound) => Assert.Equal(bound, Poisson.UpperBound(count, 0.95), 3);

    [Fact]
    public void Every_shipped_template_has_a_fleet_that_can_be_read() =>
        Assert.All(Templates.TemplateReaderTests.Shipped, id => Assert.True(FleetFile.Read(Path.Combine(Folder, id, "fleet.json")).Groups.Sum(g => g.Devices) >= 20));

    [Fact]
    public void The_same_seed_gives_the_same_events_in_the_order_of_a_journal()
    {
        var fleet = FleetFile.Read(Path.Combine(Folder, "car-mobility", "fleet.json"));
        var (one, other, third) = (Events(fleet, 1), Events(fleet, 1), Events(fleet, 2));
        Assert.Equal(one.Select(Content), other.Select(Content));
        Assert.NotEqual(one.Select(Content), third.Select(Content));
        Assert.Equal(Enumerable.Range(1, one.Count).Select(i => (long)i), one.Select(e => e.Position));
        for (var i = 1; i < one.Count; i++)
        {
            // Within a minute the merge is exact; ticks close it.
            Assert.True(one[i].ArrivedAt >= one[i - 1].ArrivedAt.AddMinutes(-1));
        }
    }

    [Fact]
    public void What_goes_wrong_in_harmless_operation_is_in_it()
    {
        var events = Events(FleetFile.Read(Path.Combine(Folder, "cold-chain", "fleet.json")), 5);
        var messages = events.OfType<MessageEvent>().ToList();
        Assert.Contains(messages.GroupBy(m => m.MessageId), g => g.Count() > 1);
        Assert.Contains(messages, m => m.ArrivedAt - m.DeviceTime > TimeSpan.FromMinutes(20));
        Assert.Contains(messages, m => m.Epoch > 1);
        Assert.Contains(messages.GroupBy(m => m.DeviceId), g => g.Select(m => m.Source).Distinct().Count() > 1);
        Assert.Contains(messages, m => m.DeviceTime - m.ArrivedAt > TimeSpan.FromSeconds(10));
        Assert.Contains(events, e => e is SimFactEvent);
        Assert.Contains(events, e => e is AuthenticationEvent);
        Assert.Contains(events, e => e is TrafficFactEvent { Retries: > 0 });
        var ticks = events.OfType<TickEvent>().ToList();
        Assert.Contains(ticks.Zip(ticks.Skip(1)), p => p.Second.ArrivedAt - p.First.ArrivedAt > TimeSpan.FromMinutes(1.5));
    }

    [Fact]
    public void Mutated_fleet_files_are_refused_or_read_but_never_crash()
    {
        var good = File.ReadAllText(Path.Combine(Folder, "cold-chain", "fleet.json"));
        var random = Fuzz.Source(12);
        var file = Path.GetTempFileName();
        for (var round = Fuzz.Rounds(200); round > 0; round--)
        {
            var text = good.ToCharArray();
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                text[random.Next(text.Length)] = (char)random.Next(32, 127);
            }

            File.WriteAllText(file, new string(text));
            try
            {
                FleetFile.Read(file);
            }
            catch (InvalidDataException e)
            {
                Assert.Contains(file, e.Message, StringComparison.Ordinal);
            }
        }

        File.Delete(file);
    }

    [Fact]
    public void Alarms_are_counted_after_learning_and_those_taken_back_or_for_information_apart()
    {
        // Every message is too large; the second condition is only tried out.
        var template = Lab.TemplateOf("[" + Lab.Condition("size", "bytes: 1", "repeatAfter: \"1.00:00:00\"") + ", "
            + Lab.Condition("size", "bytes: 1", "repeatAfter: \"1.00:00:00\", effect: shadow", key: "c2") + "]");
        var fleet = new FleetFile("", [new FleetGroup { Kind = "k", Devices = 2, Interval = TimeSpan.FromHours(1) }]);
        var counted = TemplateTrial.Simulated(template, fleet, 3);
        Assert.Equal(2 * (TemplateTrial.Days - TemplateTrial.LearnDays) / 30.0, counted.DeviceMonths);
        Assert.True(counted.Alarms > 2 * 75);
        Assert.Equal(counted.Alarms, counted.Notes);
        Assert.Equal(counted.Alarms, counted.Conditions["c1"]);
        Assert.True(counted.UpperBound > counted.PerMonth);
    }

    [Theory]
    [InlineData("en", "| Smart meter `smart-meter`")]
    [InlineData("ja", "| スマートメーター `smart-meter`")]
    public void The_table_and_the_documents_come_from_one_command(string language, string row)
    {
        var documents = Directory.CreateTempSubdirectory("sekisho-documents-").FullName;
        using var output = new StringWriter();
        TemplateEvaluation.Run(new TemplateEvaluationOptions(Folder, null, documents, "smart-meter", IsJson: false), language, output);
        Assert.Contains(row, output.ToString(), StringComparison.Ordinal);
        Assert.Contains("95 %", File.ReadAllText(Path.Combine(documents, "template-false-alarms.md")), StringComparison.Ordinal);
        Assert.DoesNotContain("{", File.ReadAllText(Path.Combine(documents, "template-false-alarms.ja.md")), StringComparison.Ordinal);
        Directory.Delete(documents, recursive: true);
    }


    private static List<GatewayEvent> Events(FleetFile fleet, ulong seed) =>
        [.. new BenignFleet(fleet, Lab.Start, 20, FieldCalendar.None, Tokyo, seed).Portions().SelectMany(p => p)];

    private static string Content(GatewayEvent one) => one is MessageEvent m ? (m with { Payload = default }).ToString() + System.Text.Encoding.UTF8.GetString(m.Payload.Span) : one.ToString();
}
