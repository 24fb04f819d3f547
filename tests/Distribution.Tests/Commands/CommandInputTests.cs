using System.Net;
using System.Text;
using System.Text.Json;
using Sekisho.Distribution.Commands;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.Devices;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Commands;

/// <summary>What stands in bodies, good and bad.</summary>
public class CommandInputTests
{
    [Theory]
    [InlineData("""{"name":"open","name":"close"}""", 400)]
    [InlineData("""{"name":"open","arguments":{"dose":1,"dose":99}}""", 400)]
    [InlineData("""{"name":"open","arguments":{"a":"\ud800"}}""", 400)]
    [InlineData("""[]""", 400)]
    [InlineData("""{"name":"open"} {}""", 400)]
    [InlineData("""{"name":"o pen","arguments":[1],"validSeconds":0,"urgent":true}""", 422)]
    [InlineData("""{}""", 422)]
    public async Task A_command_that_two_readers_could_take_in_two_ways_is_refused(string body, int status)
    {
        await using var gateway = await TestGateway.StartAsync();
        var (answered, problem, _) = await gateway.PostAsync("c1", body);
        Assert.Equal(status, answered);
        if (body.Contains("urgent", StringComparison.Ordinal))
        {
            Assert.Equal(["/arguments", "/validSeconds", "/urgent", "/name"], problem!["faults"]!.AsArray().Select(f => (string)f!["place"]!));
        }

        Assert.Equal(413, (await gateway.PostAsync("c1", $$$"""{"name":"open","arguments":{"a":"{{{new string('x', CommandBody.MostOfCommand)}}}"}}""")).Status);
        Assert.Empty((await gateway.GetAsync("/api/v1/fields/cars/commands"))["items"]!.AsArray());
    }

    [Fact]
    public async Task All_faults_of_a_list_come_at_once_and_it_is_replaced_whole_by_revision()
    {
        await using var gateway = await TestGateway.StartAsync();
        var faults = await gateway.PutAsync("/api/v1/fields/cars/command-list", new
        {
            commands = new object?[]
            {
                null,
                new
                {
                    name = "-", kinds = Array.Empty<string>(), modes = new[] { "" }, senders = new[] { "cloud", "key:x" }, perHour = 0,
                    when = new object?[] { null, new { days = new[] { "Monday" }, from = "8:00", to = "25:00" } },
                    arguments = new object?[] { null, new { pointer = "dose", min = 5, max = 1 }, new { pointer = "/a", min = 1, oneOf = new[] { "x" }, maxLength = 3 } },
                },
            },
        }, HttpStatusCode.UnprocessableEntity);
        Assert.Equal(
            ["/commands/0", "/commands/1/name", "/commands/1/kinds", "/commands/1/modes", "/commands/1/senders/0", "/commands/1/when/0", "/commands/1/when/1/days", "/commands/1/when/1/from", "/commands/1/when/1/to",
             "/commands/1/arguments/0", "/commands/1/arguments/1/pointer", "/commands/1/arguments/1/max", "/commands/1/arguments/2/oneOf", "/commands/1/arguments/2/maxLength", "/commands/1/perHour"],
            faults["faults"]!.AsArray().Select(f => (string)f!["place"]!));
        Assert.Equal(0, (long)(await gateway.GetAsync("/api/v1/fields/cars/command-list"))["revision"]!);

        await gateway.PutAsync("/api/v1/fields/cars/command-list", new { commands = new[] { new { name = "open", when = new[] { new { from = "22:00", to = "06:00" } } } }, revision = 0 });
        await gateway.PutAsync("/api/v1/fields/cars/command-list", new { commands = Array.Empty<object>(), revision = 0 }, HttpStatusCode.Conflict);
        var second = await gateway.PutAsync("/api/v1/fields/cars/command-list", new { commands = Array.Empty<object>(), revision = 1 });
        Assert.Equal(2, (long)second["revision"]!);
        Assert.Contains("empty", (string)second["note"]!, StringComparison.Ordinal);
        await gateway.RestartAsync();
        Assert.Equal(2, (long)(await gateway.GetAsync("/api/v1/fields/cars/command-list"))["revision"]!);
        await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Held);

        // A member that nobody knows may be a bound that is misspelt.
        using var misspelt = new StringContent("""{"commands":[{"name":"open","sensitiv":true}]}""", Encoding.UTF8, "application/json");
        using var refused = await gateway.Http.PutAsync("/api/v1/fields/cars/command-list", misspelt);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Whatever_is_posted_is_answered_by_a_problem_or_taken()
    {
        await using var gateway = await TestGateway.StartAsync(settings: [("Distribution:Commands:PerDeviceMinute", "6000"), ("Distribution:Commands:PerSenderMinute", "60000"), ("Distribution:Commands:Open", "1000"), ("Distribution:Commands:RequestsPerMinute", "6000")]);
        await gateway.PutAsync("/api/v1/fields/cars/command-list", new { commands = new[] { new { name = "open", arguments = new[] { new { pointer = "/a/*/b", min = 0, max = 5 } } } } });
        var random = Fuzz.Source(63);
        byte[][] good =
        [
            """{"name":"open","arguments":{"a":[{"b":1},{"b":2.5e0}]},"validSeconds":60}"""u8.ToArray(), """{"outcome":"done","detail":{"a":[1,"\u00e9",null]}}"""u8.ToArray(),
            """{"commands":[{"name":"x","when":[{"days":["mon"],"from":"08:00","to":"09:00"}],"arguments":[{"pointer":"/a","oneOf":["b"]}]}]}"""u8.ToArray(),
        ];
        for (var i = 0; i < Fuzz.Rounds(600); i++)
        {
            var which = i % 3;
            var body = random.Next(4) == 0 ? good[which][..random.Next(good[which].Length)] : (byte[])good[which].Clone();
            for (var n = random.Next(5); n > 0 && body.Length > 0; n--)
            {
                body[random.Next(body.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"{}[]\":,0123456789.eE\\u"[random.Next(22)];
            }

            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/json");
            using var request = which switch
            {
                0 => new HttpRequestMessage(HttpMethod.Post, $"/api/v1/fields/cars/devices/c{i / 500}/commands"),
                1 => new HttpRequestMessage(HttpMethod.Post, "/device/v1/commands/c000000000000000"),
                _ => new HttpRequestMessage(HttpMethod.Put, "/api/v1/fields/homes/command-list"),
            };
            request.Content = content;
            request.Headers.Authorization = new("Bearer", "good-c1");
            request.Headers.Add("Sekisho-Device", "c1");
            using var response = await gateway.Http.SendAsync(request);
            Assert.True((int)response.StatusCode is 200 or 202 or 400 or 404 or 413 or 422, $"{response.StatusCode} for {Encoding.UTF8.GetString(body)}");
        }
    }

    [Fact]
    public async Task An_answer_is_bounded_and_says_what_is_wrong()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.PutAsync("/api/v1/fields/cars/command-list", new { commands = new[] { new { name = "open" } } });
        var id = await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Queued);
        await gateway.NamesAsync("c1");
        Assert.Equal(422, (await gateway.AnswerAsync("c1", id, """{"outcome":"maybe"}""")).Status);
        Assert.Equal(422, (await gateway.AnswerAsync("c1", id, $$"""{"outcome":"done","detail":"{{new string('x', 2048)}}"}""")).Status);
        Assert.Equal(413, (await gateway.AnswerAsync("c1", id, $$"""{"outcome":"done","detail":"{{new string('x', 5000)}}"}""")).Status);
        Assert.Equal(400, (await gateway.AnswerAsync("c1", id, "done")).Status);
        Assert.Equal(404, (await gateway.AnswerAsync("c1", "c000000000000000", """{"outcome":"done"}""")).Status);
        Assert.Equal(200, (await gateway.AnswerAsync("c1", id, """{"outcome":"done","detail":null,"more":1}""")).Status);
    }

    [Fact]
    public void The_gate_lets_go_what_an_entry_allows_and_names_the_bound_of_the_closest_miss()
    {
        var gate = Gate("""
            {"commands":[
              {"name":"dose","kinds":["pump"],"modes":["standby"],"senders":["key:clinic"],"when":[{"days":["fri"],"from":"22:00","to":"06:00"}],
               "arguments":[{"pointer":"/dose","min":0,"max":5,"required":true},{"pointer":"/unit","oneOf":["ml"]},{"pointer":"/notes/*","maxLength":4}],"perHour":2},
              {"name":"siren","sensitive":true},{"name":"free","otherArguments":true},{"name":"bare"}]}
            """);
        var friday = new DateTime(2026, 4, 3, 23, 0, 0);
        Assert.Null(Judge("dose", """{"dose":5,"unit":"ml","notes":["abcd",""]}"""));
        Assert.Null(Judge("dose", """{"dose":0}""", at: friday.AddHours(6)));
        Assert.Null(Judge("DOSE".ToLowerInvariant(), """{"dose":0}""", kind: "PUMP"));
        Held(CommandBounds.Name, "other", "{}");
        Held(CommandBounds.Name, "dose", """{"dose":1}""", kind: "lamp");
        Held(CommandBounds.Mode, "dose", """{"dose":1}""", mode: "running");
        Held(CommandBounds.Mode, "dose", """{"dose":1}""", mode: null);
        Held(CommandBounds.Sender, "dose", """{"dose":1}""", sender: "account:clinic");
        Held(CommandBounds.Time, "dose", """{"dose":1}""", at: friday.AddHours(7));
        Held(CommandBounds.Time, "dose", """{"dose":1}""", at: friday.AddHours(-2));
        Held(CommandBounds.Time, "dose", """{"dose":1}""", at: friday.AddDays(1));
        Held(CommandBounds.Rate, "dose", """{"dose":1}""", lastHour: 2);
        Held(CommandBounds.Sensitive, "siren", "{}");
        Assert.Null(Judge("free", """{"a":{"b":[1,{"c":null}]}}"""));
        Assert.Null(Judge("bare", "{}"));
        foreach (var arguments in (string[])[
            """{"dose":5.1}""", """{"dose":-1}""", """{"dose":1e999}""", """{"dose":"5"}""", """{"dose":null}""", """{"dose":[5]}""", """{"dose":1,"unit":"l"}""", """{"dose":1,"unit":1}""",
            """{"dose":1,"notes":["abcde"]}""", """{"dose":1,"notes":{"x":"a"}}""", """{"dose":1,"more":1}""", """{"dose":1,"more":{}}""", """{"dose":1,"more":[]}""", """{"unit":"ml"}""", "{}"])
        {
            Held(CommandBounds.Argument, "dose", arguments);
        }

        Held(CommandBounds.Argument, "bare", """{"a":1}""");
        var over = Judge("dose", """{"dose":50}""")!;
        Assert.Equal(("/dose", "50", "0 – 5", 50.0, 0.0, 5.0), (over.Pointer, over.Value, over.Allowed, over.Measured!.Value, over.Low!.Value, over.High!.Value));

        // A text may be a secret, so it is not told.
        Assert.DoesNotContain("4711", Judge("dose", """{"dose":1,"unit":"4711"}""")!.ToString(), StringComparison.Ordinal);

        void Held(string bound, string name, string arguments, string kind = "pump", string? mode = "standby", string sender = "key:clinic", DateTime? at = null, long lastHour = 0) =>
            Assert.Equal((bound, arguments), (Judge(name, arguments, kind, mode, sender, at, lastHour)?.Bound ?? "", arguments));

        CommandFault? Judge(string name, string arguments, string kind = "pump", string? mode = "standby", string sender = "key:clinic", DateTime? at = null, long lastHour = 0) =>
            gate.Judge(new CommandAsk(name, sender, JsonDocument.Parse(arguments).RootElement, kind, mode, at ?? friday, lastHour));
    }

    [Fact]
    public async Task Modes_are_those_that_the_device_told_last_also_after_a_restart_and_hours_are_the_fields()
    {
        // 00:00 UTC is 09:00 in Tokyo.
        await using var gateway = await TestGateway.StartAsync(clock: new ManualClock());
        await gateway.PutAsync("/api/v1/fields/cars/command-list", new
        {
            commands = new object[] { new { name = "park", modes = new[] { "on" } }, new { name = "morning", when = new[] { new { from = "09:00", to = "09:01" } } }, new { name = "night", when = new[] { new { from = "00:00", to = "09:00" } } }, new { name = "seldom", perHour = 1 } },
        });
        await gateway.SentAsync("c1", """{"name":"park"}""", CommandStates.Held);
        await FeedAsync("""{"mode":"off"}""");
        await FeedAsync("""{"mode":"on"}""");
        await gateway.SentAsync("c1", """{"name":"park"}""", CommandStates.Queued);
        await gateway.RestartAsync();
        await gateway.SentAsync("c1", """{"name":"park"}""", CommandStates.Queued);
        await gateway.SentAsync("c2", """{"name":"park"}""", CommandStates.Held);
        await gateway.SentAsync("c1", """{"name":"morning"}""", CommandStates.Queued);
        await gateway.SentAsync("c1", """{"name":"night"}""", CommandStates.Held);
        await gateway.SentAsync("c1", """{"name":"seldom"}""", CommandStates.Queued);
        await gateway.SentAsync("c1", """{"name":"seldom"}""", CommandStates.Held);
        await gateway.SentAsync("c2", """{"name":"seldom"}""", CommandStates.Queued);

        async Task FeedAsync(string message)
        {
            var before = gateway.Feed.LastPosition;
            using var response = await gateway.SendAsync("c1", message);
            await gateway.CommitAsync(await gateway.JournaledAsync(before));
        }
    }

    private static CommandGate Gate(string list) => new(JsonSerializer.Deserialize<CommandListDocument>(list, JsonSerializerOptions.Web)!);
}
