using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Response.Actions.Ticket;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Actions;

public class TicketTests
{
    private const string Path = "/api/v1/fields/cars/ticket-desk";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_ticket_is_opened_its_number_and_link_are_kept_and_shown_and_the_undo_closes_it(Dialect dialect)
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator, "hanako");
        await SetAsync(client, desk, Closing(desk));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();

        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, null, null), (lease.State, lease.Details.Cause, lease.ExpiresAt));
        Assert.Equal(new LeaseTicket("T-1", $"{desk.Url}/browse/T-1"), lease.Details.Ticket);
        var opened = Assert.Single(desk.Receiver.Requests);
        Assert.Equal(lease.Id, opened.Headers["Idempotency-Key"]);
        Assert.Equal("Bearer desk", opened.Headers["Authorization"]);
        Assert.StartsWith("[Sekisho]", opened.Json.GetProperty("summary").GetString(), StringComparison.Ordinal);
        var shown = await client.GetFromJsonAsync<JsonElement>($"/api/v1/fields/cars/responses/{lease.Id}");
        Assert.Equal("T-1", shown.GetProperty("ticket").GetProperty("number").GetString());
        Assert.True(shown.GetProperty("canUndo").GetBoolean());
        var incident = (await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/incidents")).GetProperty("items")[0].GetProperty("id").GetString();
        Assert.Contains("T-1", await client.GetStringAsync($"/api/v1/fields/cars/incidents/{incident}"), StringComparison.Ordinal);

        // However long it stays open, the clock closes nothing.
        host.Clock.Advance(TimeSpan.FromDays(40));
        await host.Worker.DrainAsync();
        Assert.Single(desk.Receiver.Requests);
        await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "solved \"here\"" });
        await host.Worker.DrainAsync();
        var closed = desk.Receiver.Requests.Last();
        Assert.Equal(("PATCH", "/api/tickets/T-1"), (closed.Method, closed.Path));
        Assert.Equal(("closed", "hanako: solved \"here\""), (closed.Json.GetProperty("state").GetString(), closed.Json.GetProperty("comment").GetString()));
        Assert.Contains("spoofing", closed.Json.GetProperty("about").GetString(), StringComparison.Ordinal);
        Assert.Equal((LeaseStates.Undone, null), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
    }

    [Fact]
    public async Task A_ticket_whose_answer_was_lost_is_not_opened_twice_also_after_a_kill()
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        await SetAsync(client, desk, null);
        desk.LoseAnswers = 2;
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        await host.RestartAfterKillAsync();
        for (var i = 0; i < 3; i++)
        {
            host.Clock.Advance(TimeSpan.FromMinutes(10));
            await host.Worker.DrainAsync();
        }

        Assert.Equal(3, desk.Receiver.Requests.Count);
        Assert.Single(desk.Tickets);
        Assert.Equal("T-1", (await host.OnlyLeaseAsync()).Details.Ticket!.Number);
    }

    [Fact]
    public async Task A_storm_of_findings_of_one_incident_opens_one_ticket_also_when_the_first_answer_is_lost()
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        await SetAsync(client, desk, Closing(desk));
        desk.LoseAnswers = 1;
        desk.HonoursKeys = false;
        desk.OpensWhenLost = false;
        host.Commit([.. Enumerable.Range(0, 200).Select(i => host.Finding($"f{i:d3}"))]);
        for (var i = 0; i < 5; i++)
        {
            await host.Worker.DrainAsync();
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Single(desk.Tickets);
        var leases = await host.LeasesAsync();
        Assert.Equal(200, leases.Count(l => l.State == LeaseStates.Done && l.Details.Ticket!.Number == "T-1"));
        Assert.Equal(199, leases.Count(l => l.Details.Cause == LeaseCauses.TicketShared));

        // The last one that refers to it closes it.
        foreach (var lease in leases.Take(2))
        {
            await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "over" });
        }

        await host.Worker.DrainAsync();
        Assert.Equal(2, (await host.LeasesAsync()).Count(l => l is { State: LeaseStates.Undone, Details.Cause: LeaseCauses.TicketStillShared }));
        Assert.DoesNotContain(desk.Receiver.Requests, r => r.Method == "PATCH");
    }

    [Fact]
    public async Task An_open_ticket_neither_holds_a_device_nor_keeps_an_incident_from_being_closed()
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        await SetAsync(client, desk, Closing(desk));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var incident = (await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/incidents")).GetProperty("items")[0].GetProperty("id").GetString();
        var answer = await client.PostAsJsonAsync($"/api/v1/fields/cars/incidents/{incident}/close", new Dictionary<string, string> { ["as"] = "incident", ["note"] = "done" });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(401, "{}", "The receiver answered 401.")]
    [InlineData(503, "", "The receiver answered 503.")]
    [InlineData(302, "", "The receiver answered 302.")]
    public async Task Any_other_answer_is_tried_again_until_the_tries_are_used_up(int status, string body, string error)
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, TestHost.QuickRetries);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        await SetAsync(client, desk, null);
        desk.Receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(body);
        };
        host.Commit(host.Finding("f1"));
        for (var i = 0; i < 4; i++)
        {
            await host.Worker.DrainAsync();
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Failed, LeaseCauses.TriesUsedUp, error), (lease.State, lease.Details.Cause, lease.Details.LastError));
        Assert.Single(desk.Receiver.Requests.Select(r => (r.Headers["Idempotency-Key"], r.Body)).Distinct());
    }

    [Theory]
    [InlineData("<html>sign in</html>")]
    [InlineData("")]
    public async Task An_answer_that_says_nothing_is_left_to_a_person_who_may_try_again(string body)
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, TestHost.QuickRetries);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        await SetAsync(client, desk, null);
        desk.Receiver.Answer = (context, _) => context.Response.WriteAsync(body);
        host.Commit(host.Finding("f1"));
        for (var i = 0; i < 4; i++)
        {
            await host.Worker.DrainAsync();
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.TicketAnswerUnreadable), (lease.State, lease.Details.Cause));
        Assert.Single(desk.Receiver.Requests);
        Assert.True((await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/retry", new { reason = "signed in again" })).IsSuccessStatusCode);
        await host.Worker.DrainAsync();
        Assert.Equal(2, desk.Receiver.Requests.Count);
    }

    [Theory]
    [InlineData("{\"ticket\":{}}")]
    [InlineData("{\"ticket\":{\"key\":null}}")]
    [InlineData("{\"ticket\":{\"key\":\"\"}}")]
    [InlineData("{\"ticket\":{\"key\":\"..\"}}")]
    [InlineData("{\"ticket\":[1,2]}")]
    [InlineData("7")]
    public async Task A_desk_that_took_the_ticket_and_says_no_number_is_not_asked_again(string body)
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        await SetAsync(client, desk, Closing(desk));
        desk.Receiver.Answer = (context, _) => context.Response.WriteAsync(body);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.TicketNumberUnknown, null), (lease.State, lease.Details.Cause, lease.Details.Ticket));
        await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "over" });
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Undone, LeaseCauses.TicketStaysOpen), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
        Assert.Single(desk.Receiver.Requests);
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("https://user:pass@desk.example/1")]
    [InlineData("//desk.example")]
    [InlineData("https://desk.example/\\u0000")]
    public async Task A_link_that_a_browser_should_not_open_is_not_kept(string link)
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        await SetAsync(client, desk, null);
        desk.Receiver.Answer = (context, _) => context.Response.WriteAsync("{\"ticket\":{\"key\":4711,\"link\":\"" + link + "\"}}");
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal(new LeaseTicket("4711", null), (await host.OnlyLeaseAsync()).Details.Ticket);
    }

    [Fact]
    public async Task A_closing_that_fails_is_tried_again_and_one_of_a_ticket_that_is_gone_ends()
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, TestHost.QuickRetries);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        await SetAsync(client, desk, Closing(desk));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        var status = 500;
        desk.Receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };
        await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "over" });
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Done, (await host.OnlyLeaseAsync()).State);
        Assert.NotNull((await host.OnlyLeaseAsync()).Details.LastError);
        status = 404;
        host.Clock.Advance(TimeSpan.FromMinutes(5));
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Undone, LeaseCauses.TicketGone), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
    }

    [Fact]
    public async Task Without_a_desk_and_at_an_internal_address_nothing_is_opened_and_the_cause_says_so()
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Webhook:InternalNetworks:0", "10.0.0.0/8")]);
        host.Bind(TestHost.Always("open-ticket"));
        using var client = host.Client(Roles.Administrator);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.NoTicketDesk), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
        await SetAsync(client, desk, null);
        await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{(await host.OnlyLeaseAsync()).Id}/retry", new { reason = "desk is set" });
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.AddressNotAllowed), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
        Assert.Empty(desk.Receiver.Requests);
    }

    [Fact]
    public async Task The_preview_says_where_it_would_be_opened_who_closes_it_and_whether_there_is_one()
    {
        await using var desk = await Desk.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("open-ticket", "one-person"));
        using var client = host.Client(Roles.Administrator);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("en");
        host.Commit(host.Finding("f1"), host.Finding("f2"));
        var leases = await host.LeasesAsync();
        async Task<string> PreviewAsync(int at) => (await client.GetFromJsonAsync<JsonElement>($"/api/v1/fields/cars/responses/{leases[at].Id}/preview")).GetProperty("sentences")[0].GetString()!;
        Assert.Contains("No ticket desk", await PreviewAsync(0), StringComparison.Ordinal);
        await SetAsync(client, desk, null);
        Assert.Contains("closed there", await PreviewAsync(0), StringComparison.Ordinal);
        await SetAsync(client, desk, Closing(desk));
        Assert.Contains(new Uri(desk.Url).Authority, await PreviewAsync(0), StringComparison.Ordinal);
        await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{leases[0].Id}/approve", new { reason = "yes" });
        await host.Worker.DrainAsync();
        Assert.Contains("T-1", await PreviewAsync(1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_fault_of_the_settings_is_named_and_secrets_are_never_returned()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(Path)).StatusCode);
        var answer = await client.PutAsJsonAsync(Path, new
        {
            url = "https://desk.example/api",
            language = "xx",
            template = new { a = "{{nothing}}" },
            numberAt = "id",
            linkAt = "/a~2",
            closing = new { method = "DELETE", url = "https://{{number}}.example/", template = new { a = "{{number}} {{nonsense}}" } },
        });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Equal(
            ["/closing/method", "/closing/template", "/closing/url", "/language", "/linkAt", "/numberAt", "/template"],
            (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("faults").EnumerateArray().Select(f => f.GetProperty("place").GetString()).Order(StringComparer.Ordinal));
        foreach (var url in (string[])["https://other.example/{{number}}", "https://desk.example{{number}}/", "https://desk.example:{{number}}/", "https://desk.example@{{number}}/", "{{number}}"])
        {
            var refused = await client.PutAsJsonAsync(Path, Settings("https://desk.example", new { method = "POST", url, template = new { } }));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        }

        var set = await (await client.PutAsJsonAsync(Path, Settings("https://desk.example", null))).Content.ReadFromJsonAsync<JsonElement>();
        var secret = set.GetProperty("secret").GetString()!;
        var read = await client.GetStringAsync(Path);
        Assert.DoesNotContain(secret, read, StringComparison.Ordinal);
        Assert.DoesNotContain("Bearer desk", read, StringComparison.Ordinal);
        using var auditor = host.Client(Roles.Auditor);
        Assert.DoesNotContain("/api/tickets", await auditor.GetStringAsync(Path), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await auditor.DeleteAsync(Path)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync(Path)).StatusCode);
    }

    [Theory]
    [InlineData("/a/0/b", "x")]
    [InlineData("/a/1", "7.5")]
    [InlineData("/c~1d/~0", "y")]
    [InlineData("/a/00/b", null)]
    [InlineData("/a/-", null)]
    [InlineData("/a", null)]
    [InlineData("/z", null)]
    public void A_pointer_finds_what_RFC_6901_says(string path, string? text) =>
        Assert.Equal(text, JsonPointer.Parse(path)!.Text(JsonElement.Parse("""{"a":[{"b":"x"},7.5],"c/d":{"~":"y"}}""")));

    [Fact]
    public void Mutated_pointers_and_answers_never_throw()
    {
        var random = Fuzz.Source(23);
        const string Alphabet = "/~01a-é{}[]\":,\\ud8 \0";
        for (var i = 0; i < Fuzz.Rounds(30_000); i++)
        {
            string Mutate(string seed)
            {
                var text = seed.ToCharArray().ToList();
                for (var n = random.Next(1, 5); n > 0; n--)
                {
                    text.Insert(random.Next(text.Count + 1), Alphabet[random.Next(Alphabet.Length)]);
                }

                return string.Concat(text);
            }

            if (JsonPointer.Parse(Mutate("/a/0/b")) is { } found)
            {
                try
                {
                    found.Text(JsonElement.Parse(Mutate("""{"a":[{"b":"x"},7.5]}""")));
                }
                catch (JsonException)
                {
                    // The document is no JSON any more.
                }
            }
        }
    }

    private static object Settings(string url, object? closing) => new
    {
        url = url + "/api/tickets",
        language = "en",
        template = new { summary = "{{title}}", description = "{{text}}", labels = new[] { "sekisho", "{{riskCode}}" } },
        numberAt = "/ticket/key",
        linkAt = "/ticket/link",
        headers = new Dictionary<string, string> { ["Authorization"] = "Bearer desk" },
        closing,
    };

    private static object Closing(Desk desk) =>
        new { method = "PATCH", url = desk.Url + "/api/tickets/{{number}}", template = new { state = "closed", comment = "{{actor}}: {{reason}}", about = "{{title}}" } };

    private static async Task SetAsync(HttpClient client, Desk desk, object? closing)
    {
        var answer = await client.PutAsJsonAsync(Path, Settings(desk.Url, closing));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>A ticket desk that opens a ticket for each key it has not seen.</summary>
    private sealed class Desk : IAsyncDisposable
    {
        private int _lose;

        private Desk(HttpReceiver receiver) => Receiver = receiver;

        public HttpReceiver Receiver { get; }

        public string Url => Receiver.Url;

        public ConcurrentDictionary<string, string> Tickets { get; } = new();

        /// <summary>So many answers do not arrive.</summary>
        public int LoseAnswers
        {
            set => _lose = value;
        }

        public bool HonoursKeys { get; set; } = true;

        /// <summary>Whether a request whose answer is lost opened its ticket.</summary>
        public bool OpensWhenLost { get; set; } = true;

        public static async Task<Desk> StartAsync()
        {
            var desk = new Desk(await HttpReceiver.StartAsync());
            desk.Receiver.Answer = desk.AnswerAsync;
            return desk;
        }

        public ValueTask DisposeAsync() => Receiver.DisposeAsync();

        private Task AnswerAsync(HttpContext context, Received request)
        {
            if (request.Method != "POST")
            {
                return Task.CompletedTask;
            }

            var lost = Interlocked.Decrement(ref _lose) >= 0;
            if (lost && !OpensWhenLost)
            {
                context.Abort();
                return Task.CompletedTask;
            }

            var key = HonoursKeys ? request.Headers["Idempotency-Key"] : Guid.NewGuid().ToString();
            var number = Tickets.GetOrAdd(key, _ => "T-" + (Tickets.Count + 1).ToString(CultureInfo.InvariantCulture));
            if (lost)
            {
                context.Abort();
                return Task.CompletedTask;
            }

            context.Response.StatusCode = 201;
            return context.Response.WriteAsJsonAsync(new { ticket = new { key = number, link = $"{Url}/browse/{number}" } });
        }
    }
}
