using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Distribution.Commands;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Commands;

/// <summary>A command's way from its sender to the device and back, over the real routes and stores.</summary>
public class CommandTests
{
    private static readonly object OpenList = new { commands = new object[] { new { name = "open" }, new { name = "close" }, new { name = "set", otherArguments = true } } };

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Commands_reach_their_device_in_order_again_until_it_answers_also_after_a_restart(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(dialect, clock);
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        var first = await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Queued);
        var second = await gateway.SentAsync("c1", """{"name":"set","arguments":{"deep":{"list":[1,"二"]}}}""", CommandStates.Queued);
        await gateway.SentAsync("c2", """{"name":"close"}""", CommandStates.Queued);

        await gateway.RestartAsync();
        var (_, fetched, _) = await gateway.FetchAsync("c1");
        Assert.Equal(["open", "set"], CommandCalls.Names(fetched!));
        Assert.Equal("""{"deep":{"list":[1,"二"]}}""", JsonNode.Parse(fetched!["commands"]![1]!["arguments"]!.ToJsonString())!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.Equal(CommandStates.Delivered, await gateway.StateAsync(first));
        await gateway.RestartAsync();
        Assert.Equal(["open", "set"], await gateway.NamesAsync("c1"));

        Assert.Equal(200, (await gateway.AnswerAsync("c1", first, """{"outcome":"done","detail":{"position":90}}""")).Status);
        Assert.Equal(200, (await gateway.AnswerAsync("c1", first, """{"outcome":"done"}""")).Status);
        Assert.Equal(409, (await gateway.AnswerAsync("c1", first, """{"outcome":"failed"}""")).Status);
        Assert.Equal(["set"], await gateway.NamesAsync("c1"));
        Assert.Equal(200, (await gateway.AnswerAsync("c1", second, """{"outcome":"refused","detail":"not now"}""")).Status);
        Assert.Empty(await gateway.NamesAsync("c1"));

        var done = await gateway.CommandAsync(first);
        Assert.Equal((CommandStates.Done, 90), ((string?)done["state"], (int)done["answer"]!["position"]!));
        Assert.Equal("not now", (string?)(await gateway.CommandAsync(second))["answer"]);
        var list = await gateway.GetAsync("/api/v1/fields/cars/devices/c1/commands");
        Assert.Equal(2, list["items"]!.AsArray().Count);
        Assert.Equal(3, (await gateway.GetAsync("/api/v1/fields/cars/commands"))["items"]!.AsArray().Count);

        // Each step is in the history, once.
        var states = gateway.History.Records.Where(r => r.Kind == HistoryKinds.Command && r.Subject == first).Select(r => (string?)JsonNode.Parse(r.Details!)!["state"]);
        Assert.Equal([CommandStates.Queued, CommandStates.Delivered, CommandStates.Done], states);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Every_command_ends_in_one_state_and_a_late_answer_within_the_grace_counts(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(dialect, clock);
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        var unfetched = await gateway.SentAsync("c1", """{"name":"open","validSeconds":60}""", CommandStates.Queued);
        var held = await gateway.SentAsync("c1", """{"name":"stop-engine","validSeconds":60}""", CommandStates.Held);
        var withdrawn = await gateway.SentAsync("c1", """{"name":"close"}""", CommandStates.Queued);
        var late = await gateway.SentAsync("c2", """{"name":"open","validSeconds":60}""", CommandStates.Queued);
        var silent = await gateway.SentAsync("c3", """{"name":"open","validSeconds":60}""", CommandStates.Queued);
        Assert.Equal(200, (await gateway.DecideAsync(withdrawn, "withdraw")).Status);
        Assert.Equal(200, (await gateway.DecideAsync(withdrawn, "withdraw")).Status);
        Assert.Equal(409, (await gateway.DecideAsync(withdrawn, "release")).Status);
        Assert.Equal(["open"], await gateway.NamesAsync("c2"));
        Assert.Equal(["open"], await gateway.NamesAsync("c3"));
        Assert.Equal(409, (await gateway.DecideAsync(late, "withdraw")).Status);

        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(await gateway.NamesAsync("c1"));
        Assert.Empty(await gateway.NamesAsync("c2"));
        await RoundAsync(gateway);
        Assert.Equal(CommandStates.Expired, await gateway.StateAsync(unfetched));
        Assert.Equal(CommandStates.Lapsed, await gateway.StateAsync(held));
        Assert.Equal(409, (await gateway.DecideAsync(held, "release")).Status);
        Assert.Equal(200, (await gateway.AnswerAsync("c2", late, """{"outcome":"failed"}""")).Status);
        Assert.Equal(CommandStates.Failed, await gateway.StateAsync(late));

        clock.Advance(TimeSpan.FromMinutes(10));
        await RoundAsync(gateway);
        Assert.Equal(CommandStates.Expired, await gateway.StateAsync(silent));
        Assert.Equal(409, (await gateway.AnswerAsync("c3", silent, """{"outcome":"done"}""")).Status);
        Assert.Empty((await gateway.GetAsync("/api/v1/fields/cars/commands?state=delivered"))["items"]!.AsArray());
        Assert.Equal(2, (await gateway.GetAsync("/api/v1/fields/cars/commands?state=expired"))["items"]!.AsArray().Count);

        // What was settled long ago is let go.
        clock.Leap(TimeSpan.FromDays(91));
        await RoundAsync(gateway);
        Assert.Empty((await gateway.GetAsync("/api/v1/fields/cars/commands"))["items"]!.AsArray());
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Without_a_list_everything_waits_for_a_person_who_is_not_the_sender_and_detection_is_told_once(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect, new ManualClock());
        var note = (string)(await gateway.GetAsync("/api/v1/fields/cars/command-list"))["note"]!;
        Assert.Contains("PUT a list", note, StringComparison.Ordinal);
        var released = await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Held);
        var own = await gateway.SentAsync("c1", """{"name":"close"}""", CommandStates.Held, "hanako", key: false);
        Assert.Empty(await gateway.NamesAsync("c1"));
        Assert.Equal(409, (await gateway.DecideAsync(own, "release", "Hanako")).Status);
        Assert.Equal(422, (await gateway.DecideAsync(released, "release", reason: " ")).Status);
        Assert.Equal(404, (await gateway.DecideAsync(released, "release", field: StandInDevices.Homes)).Status);
        Assert.Equal(200, (await gateway.DecideAsync(released, "release")).Status);
        Assert.Equal(200, (await gateway.DecideAsync(released, "release")).Status);
        Assert.Equal(200, (await gateway.DecideAsync(own, "refuse")).Status);
        Assert.Equal(["open"], await gateway.NamesAsync("c1"));
        Assert.Equal(CommandStates.Withdrawn, await gateway.StateAsync(own));

        await RoundAsync(gateway);
        var told = (await gateway.Feed.ReadAsync(0, 100, CancellationToken.None)).OfType<CommandHeldEvent>().ToList();
        Assert.Equal([(released, "key:cloud"), (own, "account:hanako")], told.Select(t => (t.CommandId, t.Sender)));
        Assert.All(told, t => Assert.Equal(CommandBounds.NoList, t.Bound));
    }

    [Fact]
    public async Task What_a_killed_gateway_did_not_tell_is_told_after_its_start()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite, new ManualClock());
        var id = await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Held);
        await gateway.Store.Databases.State.WriteAsync(t => Dapper.SqlMapper.ExecuteAsync(t.Connection!, "UPDATE command SET told = 0", transaction: t));
        await gateway.RestartAsync();
        await RoundAsync(gateway);
        Assert.Equal([id, id], (await gateway.Feed.ReadAsync(0, 100, CancellationToken.None)).OfType<CommandHeldEvent>().Select(t => t.CommandId));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_damaged_command_is_shown_as_such_never_given_and_holds_no_other_up(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(dialect, clock);
        var held = await gateway.SentAsync("c1", """{"name":"stop","validSeconds":60}""", CommandStates.Held);
        clock.Advance(TimeSpan.FromSeconds(1));
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        var damaged = await gateway.SentAsync("c1", """{"name":"open","validSeconds":60}""", CommandStates.Queued);
        await gateway.SentAsync("c1", """{"name":"close"}""", CommandStates.Queued);
        var heldToo = await gateway.SentAsync("c1", """{"name":"stop","validSeconds":60}""", CommandStates.Held);
        await SqlAsync("UPDATE command SET told = 0 WHERE bound IS NOT NULL");
        await SqlAsync($"UPDATE command SET content = (SELECT content FROM command WHERE id = '{heldToo}') WHERE id IN ('{damaged}', '{held}')");

        Assert.Equal(["close"], await gateway.NamesAsync("c1"));
        var shown = (await gateway.GetAsync("/api/v1/fields/cars/commands"))["items"]!.AsArray().Where(c => (bool)c!["damaged"]!).Select(c => (string)c!["id"]!);
        Assert.Equal(new[] { damaged, held }.Order(), shown.Order());
        Assert.Equal(409, (await gateway.DecideAsync(held, "release")).Status);

        var told = (await gateway.Feed.ReadAsync(0, 100, CancellationToken.None)).Count;
        await RoundAsync(gateway);
        var news = (await gateway.Feed.ReadAsync(0, 100, CancellationToken.None)).Skip(told).OfType<CommandHeldEvent>().ToList();
        Assert.Equal([(held, "?", CommandBounds.NoList), (heldToo, "key:cloud", CommandBounds.Name)], news.Select(t => (t.CommandId, t.Sender, t.Bound)));

        clock.Advance(TimeSpan.FromSeconds(61));
        await RoundAsync(gateway);
        Assert.Equal(
            [CommandStates.Lapsed, CommandStates.Expired, CommandStates.Lapsed],
            [await gateway.StateAsync(held), await gateway.StateAsync(damaged), await gateway.StateAsync(heldToo)]);
        Assert.True((bool)(await gateway.CommandAsync(damaged))["damaged"]!);

        Task<int> SqlAsync(string sql) => gateway.Store.Databases.State.WriteAsync(t => Dapper.SqlMapper.ExecuteAsync(t.Connection!, sql, transaction: t));
    }

    [Fact]
    public async Task Damaged_orders_keep_their_numbers_and_take_no_places_of_others()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite, new ManualClock());
        var commands = gateway.Services.GetRequiredService<IDeviceCommands>();
        for (var number = 0; number < CommandDesk.MostAtOnce; number++)
        {
            await commands.OrderAsync(Order("c1", "l1", "resume") with { Number = number }, default);
        }

        await gateway.Store.Databases.State.WriteAsync(t => Dapper.SqlMapper.ExecuteAsync(t.Connection!, "UPDATE command SET content = X'00'", transaction: t));
        await commands.OrderAsync(Order("c1", "l1", "resume") with { Number = CommandDesk.MostAtOnce }, default);
        Assert.Equal(["resume"], await gateway.NamesAsync("c1"));
        var all = await commands.OfHolderAsync("l1", default);
        Assert.Equal(Enumerable.Range(0, CommandDesk.MostAtOnce + 1), all.Select(c => c.Ordinal));
        Assert.Equal(Enumerable.Repeat(true, CommandDesk.MostAtOnce).Append(false), all.Select(c => c.IsDamaged));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_same_key_is_the_same_command_and_other_content_under_it_is_refused(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect, new ManualClock());
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        var both = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => gateway.PostAsync("c1", """{"name":"open"}""", repeat: "k-1")));
        Assert.Single(both.Select(b => (string?)b.Body!["id"]).Distinct());
        Assert.Equal(1, both.Count(b => b.Status == 202));
        Assert.Equal(3, both.Count(b => b.Status == 200));
        Assert.Equal(409, (await gateway.PostAsync("c1", """{"name":"close"}""", repeat: "k-1")).Status);
        Assert.Equal(409, (await gateway.PostAsync("c2", """{"name":"open"}""", repeat: "k-1")).Status);

        // The key is the sender's own, and the field's.
        Assert.Equal(202, (await gateway.PostAsync("c1", """{"name":"open"}""", "other", repeat: "k-1")).Status);
        Assert.Equal(202, (await gateway.PostAsync("h1", """{"name":"open"}""", repeat: "k-1", field: StandInDevices.Homes)).Status);
        Assert.Equal(422, (await gateway.PostAsync("c1", """{"name":"open"}""", repeat: "two words")).Status);
        Assert.Equal(["open", "open"], await gateway.NamesAsync("c1"));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Too_many_to_a_device_or_of_a_sender_are_refused_and_others_go_on(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(
            dialect, clock, ("Distribution:Commands:PerDeviceMinute", "3"), ("Distribution:Commands:PerSenderMinute", "5"), ("Distribution:Commands:Open", "4"));
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        for (var i = 0; i < 3; i++)
        {
            await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Queued);
        }

        var (status, _, headers) = await gateway.PostAsync("c1", """{"name":"open"}""");
        Assert.Equal((429, TimeSpan.FromMinutes(1)), (status, headers.RetryAfter!.Delta));
        Assert.Equal(429, (await gateway.PostAsync("c1", """{"name":"open"}""", "other")).Status);
        await gateway.SentAsync("c2", """{"name":"open"}""", CommandStates.Queued);
        await gateway.SentAsync("c3", """{"name":"open"}""", CommandStates.Queued);
        Assert.Equal(429, (await gateway.PostAsync("c4", """{"name":"open"}""")).Status);
        await gateway.SentAsync("c4", """{"name":"open"}""", CommandStates.Queued, "other");
        Assert.Equal(3, (await gateway.NamesAsync("c1")).Count);

        clock.Advance(TimeSpan.FromMinutes(1));
        await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Queued);
        Assert.Equal(429, (await gateway.PostAsync("c1", """{"name":"open"}""")).Status);
    }

    [Fact]
    public async Task A_waiting_device_is_answered_when_something_comes_and_a_newer_request_ends_an_older_one()
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite, clock);
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        var older = gateway.FetchAsync("c1", wait: 30);
        await Until.TrueAsync(() => gateway.Services.GetRequiredService<CommandPolls>().IsWaiting("c1"), "the first request does not wait");
        var newer = gateway.FetchAsync("c1", wait: 30);
        Assert.Empty(CommandCalls.Names((await older).Body!));
        Assert.False(newer.IsCompleted);
        await gateway.SentAsync("c2", """{"name":"close"}""", CommandStates.Queued);
        await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Queued);
        Assert.Equal(["open"], CommandCalls.Names((await newer).Body!));

        // What it has fetched already is no reason to answer at once; after a while it is.
        var waiting = gateway.FetchAsync("c1", wait: 30);
        await Until.TrueAsync(() => gateway.Services.GetRequiredService<CommandPolls>().IsWaiting("c1"), "the request does not wait");
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Empty(CommandCalls.Names((await waiting).Body!));
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["open"], CommandCalls.Names((await gateway.FetchAsync("c1", wait: 30)).Body!));
        Assert.Equal(422, (await gateway.FetchAsync("c1", wait: 31)).Status);
    }

    [Fact]
    public async Task Too_many_waiting_devices_and_too_many_requests_are_told_to_come_again()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite, new ManualClock(), ("Distribution:Commands:Waiting", "1"), ("Distribution:Commands:RequestsPerMinute", "3"));
        var waiting = gateway.FetchAsync("c1", wait: 30);
        await Until.TrueAsync(() => gateway.Services.GetRequiredService<CommandPolls>().IsWaiting("c1"), "the request does not wait");
        Assert.Equal((429, true), ((await gateway.FetchAsync("c2", wait: 30)) is var (status, _, headers) ? (status, headers.RetryAfter?.Delta > TimeSpan.Zero) : default));
        Assert.Equal(200, (await gateway.FetchAsync("c2")).Status);
        Assert.Equal(200, (await gateway.FetchAsync("c2")).Status);
        Assert.Equal(429, (await gateway.FetchAsync("c2")).Status);
        gateway.Services.GetRequiredService<CommandPolls>().Wake("c1");
        Assert.Equal(200, (await gateway.FetchAsync("c3")).Status);
        await gateway.Services.GetRequiredService<IDeviceCommands>().OrderAsync(Order("c1", "l1", "wipe"), default);
        Assert.Equal(["wipe"], CommandCalls.Names((await waiting).Body!));
    }

    [Fact]
    public async Task A_locked_out_device_fetches_the_gateways_own_orders_only_and_others_nothing()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite, new ManualClock());
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        var commands = gateway.Services.GetRequiredService<IDeviceCommands>();
        var sent = await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Queued);
        var order = await commands.OrderAsync(Order("c1", "l1", "wipe"), default);
        gateway.Devices.States["c1"] = LifecycleStates.Stray;
        Assert.Equal(403, (await gateway.FetchAsync("c1", token: "suspended-expired")).Status);
        Assert.Equal(403, (await gateway.AnswerAsync("c1", order.Id, """{"outcome":"done"}""", "suspended-expired")).Status);
        Assert.Equal(["wipe"], await gateway.NamesAsync("c1", "suspended"));
        Assert.Equal(404, (await gateway.AnswerAsync("c1", sent, """{"outcome":"done"}""", "suspended")).Status);
        Assert.Equal(200, (await gateway.AnswerAsync("c1", order.Id, """{"outcome":"done"}""", "suspended")).Status);

        gateway.Devices.States["c1"] = LifecycleStates.Retired;
        Assert.Equal(403, (await gateway.FetchAsync("c1", token: "suspended")).Status);
        Assert.Equal(409, (await gateway.PostAsync("c1", """{"name":"open"}""")).Status);
        Assert.Equal(401, (await gateway.FetchAsync("c1", token: "wrong")).Status);
        Assert.Equal(401, (await gateway.FetchAsync("c1", token: "expired")).Status);

        // Nobody answers for another device, or what was never fetched.
        var foreign = await gateway.SentAsync("c2", """{"name":"open"}""", CommandStates.Queued);
        Assert.Equal(404, (await gateway.AnswerAsync("c2", foreign, """{"outcome":"done"}""")).Status);
        await gateway.NamesAsync("c2");
        Assert.Equal(404, (await gateway.AnswerAsync("c3", foreign, """{"outcome":"done"}""")).Status);
        Assert.Equal(404, (await gateway.PostAsync("h1", """{"name":"open"}""")).Status);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_read_only_device_gets_no_commands_until_the_hold_ends_and_then_what_is_still_valid(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(dialect, clock);
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        await Hold("lease-1", 10);
        await Hold("lease-2", 20);
        var lapses = await gateway.SentAsync("c1", """{"name":"open","validSeconds":300}""", CommandStates.Queued);
        var stays = await gateway.SentAsync("c1", """{"name":"close","validSeconds":3600}""", CommandStates.Queued);
        Assert.Equal((CommandStates.Held, "read-only"), await gateway.CommandAsync(stays) is var c ? ((string?)c["state"], (string?)c["bound"]) : default);
        Assert.Equal(2, (await gateway.GetAsync("/api/v1/fields/cars/commands?state=held"))["items"]!.AsArray().Count);
        Assert.Empty((await gateway.GetAsync("/api/v1/fields/cars/commands?state=queued"))["items"]!.AsArray());
        Assert.Equal(409, (await gateway.DecideAsync(stays, "release")).Status);
        Assert.Empty(await gateway.NamesAsync("c1"));
        using (var accepted = await gateway.SendAsync("c1", "{}"))
        {
            Assert.Equal(202, (int)accepted.StatusCode);
        }

        // The gateway's own orders go all the same.
        await Commands().OrderAsync(Order("c1", "l9", "wipe"), default);
        Assert.Equal(["wipe"], await gateway.NamesAsync("c1"));

        await gateway.RestartAsync();
        await Commands().LiftAsync("c1", "lease-1", default);
        await Commands().LiftAsync("c1", "lease-1", default);
        clock.Advance(TimeSpan.FromMinutes(6));
        await RoundAsync(gateway);
        Assert.Equal(CommandStates.Lapsed, await gateway.StateAsync(lapses));
        Assert.Equal(["wipe"], await gateway.NamesAsync("c1"));
        clock.Advance(TimeSpan.FromMinutes(14));
        Assert.Equal(["wipe", "close"], await gateway.NamesAsync("c1"));

        IDeviceCommands Commands() => gateway.Services.GetRequiredService<IDeviceCommands>();

        Task Hold(string holder, int minutes) => Commands().HoldAsync("c1", holder, clock.GetUtcNow().AddMinutes(minutes), default);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_order_of_the_gateway_is_not_kept_waiting_by_commands_that_a_device_never_answers(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect, new ManualClock());
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        for (var i = 0; i < 25; i++)
        {
            await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Queued);
        }

        Assert.Equal(20, (await gateway.NamesAsync("c1")).Count);
        await gateway.Services.GetRequiredService<IDeviceCommands>().OrderAsync(Order("c1", "l1", "stop"), default);
        var given = await gateway.NamesAsync("c1");
        Assert.Equal(20, given.Count);
        Assert.Equal("stop", given[0]);
    }

    [Fact]
    public async Task Only_a_held_command_can_be_refused()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite, new ManualClock());
        await gateway.PutAsync("/api/v1/fields/cars/command-list", OpenList);
        var allowed = await gateway.SentAsync("c1", """{"name":"open"}""", CommandStates.Queued);
        var held = await gateway.SentAsync("c1", """{"name":"other"}""", CommandStates.Held);
        Assert.Equal(409, (await gateway.DecideAsync(allowed, "refuse")).Status);
        Assert.Equal(CommandStates.Queued, await gateway.StateAsync(allowed));
        Assert.Equal(200, (await gateway.DecideAsync(held, "refuse")).Status);
        Assert.Equal(200, (await gateway.DecideAsync(held, "refuse")).Status);
        Assert.Equal(CommandStates.Withdrawn, await gateway.StateAsync(held));
        Assert.Equal(200, (await gateway.DecideAsync(allowed, "withdraw")).Status);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_same_order_of_the_gateway_is_one_command_and_its_end_is_told(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(dialect, clock);
        var commands = gateway.Services.GetRequiredService<IDeviceCommands>();
        var told = new List<(string, string)>();
        commands.Settled += c => told.Add((c.Holder!, c.State));
        var both = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => commands.OrderAsync(Order("c1", "l1", "reset"), default)));
        Assert.Single(both.Select(b => b.Id).Distinct());
        Assert.NotEqual(both[0].Id, (await commands.OrderAsync(Order("c1", "l1", "reset") with { Number = 1 }, default)).Id);
        Assert.Equal(2, (await commands.OfHolderAsync("l1", default)).Count);
        Assert.Equal(["reset", "reset"], await gateway.NamesAsync("c1"));
        Assert.Equal(200, (await gateway.AnswerAsync("c1", both[0].Id, """{"outcome":"done","detail":{"erased":true}}""")).Status);
        Assert.Equal("""{"erased":true}""", (await commands.FindAsync(both[0].Id, default))!.Answer);
        clock.Advance(TimeSpan.FromHours(2));
        await RoundAsync(gateway);
        Assert.Equal([("l1", CommandStates.Done), ("l1", CommandStates.Expired)], told);

        // People take an order back where it came from.
        var third = await commands.OrderAsync(Order("c1", "l1", "reset") with { Number = 2, ValidUntil = clock.GetUtcNow().AddHours(1) }, default);
        Assert.Equal(409, (await gateway.DecideAsync(third.Id, "withdraw")).Status);
        Assert.Equal(CommandDecision.Done, await commands.WithdrawAsync(third.Id, "hanako", "no", "c", default));
    }

    private static CommandOrder Order(string device, string holder, string name) =>
        new(StandInDevices.Cars, device, holder, name, 0, "{}", new DateTimeOffset(2026, 4, 1, 1, 0, 0, TimeSpan.Zero), "0123456789abcdef0123456789abcdef");

    private static Task RoundAsync(TestGateway gateway) => gateway.Services.GetRequiredService<CommandWorker>().RoundAsync();
}
