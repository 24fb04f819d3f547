using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Emergency;

/// <summary>Locking everything down, and getting out of it again.</summary>
public class EmergencyTests
{
    private const string Path = "/api/v1/fields/cars/emergencies";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task One_operation_locks_the_field_and_steps_release_it(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        AddDevices(host, 17);
        host.World.SetState("d000000000000002", LifecycleStates.Suspended); // by a person, before
        using var client = host.Client(Roles.Administrator, "hanako");
        var made = await PostAsync(client, Path, new { reason = "ransomware on the site" }, HttpStatusCode.Created);
        Assert.Equal(("locked", 20, 20), (made.GetProperty("state").GetString(), made.GetProperty("devices").GetInt32(), made.GetProperty("locked").GetInt32()));
        await host.Worker.DrainAsync();
        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.NotEqual(LifecycleStates.Active, d.State));

        // Pressed again it is the same one, also where a person had locked a device before.
        Assert.Equal(made.GetProperty("id").GetString(), (await PostAsync(client, Path, new { reason = "pressed again" })).GetProperty("id").GetString());
        Assert.Equal("emergency", Assert.Single(await host.NoticesAsync()).Details.Notice!.Name);

        // The guard does not stand in the way of a person, and time does not end it.
        host.Clock.Leap(TimeSpan.FromDays(400));
        await host.Worker.DrainAsync();
        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.NotEqual(LifecycleStates.Active, d.State));

        // However many devices it holds, people are reminded of it once a time.
        Assert.Equal("emergency-holds", Assert.Single(await host.NoticesAsync(), n => n.Details.Notice!.Name != "emergency").Details.Notice!.Name);

        var id = made.GetProperty("id").GetString();
        var first = await PostAsync(client, $"{Path}/{id}/release", new { share = 0.1, reason = "the first two as a trial" });
        Assert.Equal(18, first.GetProperty("locked").GetInt32());
        await host.RestartAfterKillAsync();
        await host.Worker.DrainAsync();
        Assert.Equal(1, host.World.Devices.Values.Count(d => d is { FieldId: "cars", State: LifecycleStates.Active }));

        using var later = host.Client(Roles.Administrator, "taro");
        var last = await PostAsync(later, $"{Path}/{id}/release", new { reason = "all clean" });
        await host.Worker.DrainAsync();
        Assert.Equal("ended", last.GetProperty("state").GetString());
        Assert.Equal(["hanako", "taro"], last.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("by").GetString()!));
        Assert.Equal(19, host.World.Devices.Values.Count(d => d is { FieldId: "cars", State: LifecycleStates.Active }));
        Assert.Equal(LifecycleStates.Suspended, host.World.StateOf("d000000000000002"));
        Assert.Contains(await host.NoticesAsync(), n => n.Details.Notice!.Name == "emergency-ended");
        await PostAsync(later, $"{Path}/{id}/release", new { reason = "again" }, HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task What_is_released_before_its_turn_came_is_never_locked()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        var made = await PostAsync(client, Path, new { reason = "x" }, HttpStatusCode.Created);
        await PostAsync(client, $"{Path}/{made.GetProperty("id").GetString()}/release", new { devices = new[] { "d000000000000001" }, reason = "a mistake" });
        await host.Worker.DrainAsync();

        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000003"));
    }

    [Theory]
    [InlineData(Dialect.Sqlite, false)]
    [InlineData(Dialect.Sqlite, true)]
    [InlineData(Dialect.PostgreSql, false)]
    [InlineData(Dialect.PostgreSql, true)]
    public async Task What_is_released_while_it_is_being_locked_is_let_in_again_also_when_the_lock_cannot_say_that_it_is_done(Dialect dialect, bool fails)
    {
        await using var host = await TestHost.StartAsync(dialect);
        using var client = host.Client(Roles.Administrator);
        var made = await PostAsync(client, Path, new { reason = "x" }, HttpStatusCode.Created);
        var released = new Lazy<Task>(() => PostAsync(client, $"{Path}/{made.GetProperty("id").GetString()}/release", new { reason = "a mistake" }));
        host.World.AfterLock = async (_, _) =>
        {
            await released.Value;
            if (fails)
            {
                throw new InvalidOperationException("no answer");
            }
        };
        await host.Worker.DrainAsync();

        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.Equal(LifecycleStates.Active, d.State));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_device_that_was_let_in_some_other_way_is_locked_again_by_the_next_lock_down(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        using var client = host.Client(Roles.Administrator);
        await PostAsync(client, Path, new { reason = "first" }, HttpStatusCode.Created);
        await host.Worker.DrainAsync();
        var lease = (await host.LeasesAsync()).Single(l => l.DeviceId == "d000000000000001");
        await PostAsync(client, $"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "by itself" });
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        await PostAsync(client, Path, new { reason = "the attack goes on" }, HttpStatusCode.Created);
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000001"));
        await PostAsync(client, Path, new { reason = "pressed twice" }, HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Two_people_who_lock_the_same_down_at_once_make_one_lock_down_that_one_release_ends(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        using var client = host.Client(Roles.Administrator);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => client.PostAsJsonAsync(Path, new { reason = $"person {i}" })));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Created], answers.Select(a => a.StatusCode).Order());
        var id = Assert.Single((await Task.WhenAll(answers.Select(a => a.Content.ReadFromJsonAsync<JsonElement>()))).Select(v => v.GetProperty("id").GetString()).Distinct());
        await host.Worker.DrainAsync();
        Assert.Equal(3, (await host.LeasesAsync()).Count);

        // What was released in part is locked again by another order.
        await PostAsync(client, $"{Path}/{id}/release", new { devices = new[] { "d000000000000001" }, reason = "clean" });
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        var second = await PostAsync(client, Path, new { reason = "not clean after all" }, HttpStatusCode.Created);
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000001"));
        await PostAsync(client, $"{Path}/{second.GetProperty("id").GetString()}/release", new { reason = "clean" });
        await PostAsync(client, $"{Path}/{id}/release", new { reason = "clean" });
        await host.Worker.DrainAsync();
        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.Equal(LifecycleStates.Active, d.State));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_release_that_is_broken_off_released_nothing_and_can_be_repeated(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        using var client = host.Client(Roles.Administrator);
        var made = await PostAsync(client, Path, new { reason = "x" }, HttpStatusCode.Created);
        await host.Worker.DrainAsync();
        var records = 0;
        host.World.OnRecord = r =>
        {
            if (r.What == "suspend-authentication" && ++records == 2)
            {
                throw new IOException("killed");
            }
        };
        var path = $"{Path}/{made.GetProperty("id").GetString()}/release";
        Assert.Equal(HttpStatusCode.InternalServerError, (await client.PostAsJsonAsync(path, new { reason = "clean" })).StatusCode);
        host.World.OnRecord = _ => { };
        await host.Worker.DrainAsync();
        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.Equal(LifecycleStates.Abnormal, d.State));
        Assert.DoesNotContain(await host.NoticesAsync(), n => n.Details.Notice!.Name == "emergency-ended");

        Assert.Equal("ended", (await PostAsync(client, path, new { reason = "clean" })).GetProperty("state").GetString());
        await host.Worker.DrainAsync();
        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.Equal(LifecycleStates.Active, d.State));
    }

    [Fact]
    public async Task Who_may_not_release_the_field_does_not_let_a_device_of_it_in_either()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var administrator = host.Client(Roles.Administrator, "hanako");
        Assert.True((await administrator.PutAsJsonAsync("/api/v1/fields/cars/emergency-plan", new { accounts = new[] { "jiro" } })).IsSuccessStatusCode);
        using var named = host.Client(Roles.Responder, "jiro");
        await PostAsync(named, Path, new { reason = "x" }, HttpStatusCode.Created);
        await host.Worker.DrainAsync();
        var undo = $"/api/v1/fields/cars/responses/{(await host.LeasesAsync())[0].Id}/undo";
        using var other = host.Client(Roles.Responder, "saburo");
        await PostAsync(other, undo, new { reason = "x" }, HttpStatusCode.Forbidden);
        using var key = host.Client(Roles.Administrator, "jiro", key: true, scopes: "responses:write");
        await PostAsync(key, undo, new { reason = "x" }, HttpStatusCode.Forbidden);
        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.Equal(LifecycleStates.Abnormal, d.State));
        await PostAsync(named, undo, new { reason = "x" });
    }

    [Fact]
    public async Task A_rehearsal_tells_and_records_and_locks_nothing()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        var made = await PostAsync(client, Path, new { rehearsal = true, reason = "yearly drill" }, HttpStatusCode.Created);
        await host.Worker.DrainAsync();

        Assert.Equal(("rehearsal", 3), (made.GetProperty("state").GetString(), made.GetProperty("devices").GetInt32()));
        Assert.Empty(await host.LeasesAsync());
        Assert.Equal("rehearsal", Assert.Single(await host.NoticesAsync()).Details.Notice!.Name);
        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.Equal(LifecycleStates.Active, d.State));
        await PostAsync(client, $"{Path}/{made.GetProperty("id").GetString()}/release", new { reason = "x" }, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Who_may_is_set_beforehand_and_is_a_person()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var responder = host.Client(Roles.Responder, "jiro");
        await PostAsync(responder, Path, new { reason = "x" }, HttpStatusCode.Forbidden);
        using var administrator = host.Client(Roles.Administrator, "hanako");
        Assert.True((await administrator.PutAsJsonAsync("/api/v1/fields/cars/emergency-plan", new { accounts = new[] { "Jiro" } })).IsSuccessStatusCode);

        await PostAsync(administrator, Path, new { reason = "x" }, HttpStatusCode.Forbidden);
        using var key = host.Client(Roles.Administrator, "jiro", key: true, scopes: "responses:write");
        await PostAsync(key, Path, new { reason = "x" }, HttpStatusCode.Forbidden);
        await PostAsync(responder, Path, new { reason = "x" }, HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("""{}""", "/reason")]
    [InlineData("""{"reason":"x","kind":"no-such-kind"}""", "/kind")]
    public async Task An_order_with_a_fault_is_refused_and_locks_nothing(string body, string place)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var answer = await client.PostAsync(Path, content);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(place, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(await host.LeasesAsync());
    }

    [Fact]
    public async Task A_part_of_the_field_is_locked_by_kind_and_by_gateway_unit()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.World.Devices["d000000000000002"] = host.World.Devices["d000000000000002"] with { Kind = "camera" };
        host.World.Devices["d000000000000003"] = host.World.Devices["d000000000000003"] with { ParentId = "d000000000000001" };
        using var client = host.Client(Roles.Administrator);
        await PostAsync(client, Path, new { kind = "camera", reason = "x" }, HttpStatusCode.Created);
        await host.Worker.DrainAsync();
        Assert.Equal("d000000000000002", Assert.Single(await host.LeasesAsync()).DeviceId);

        await PostAsync(client, Path, new { parentId = "d000000000000001", reason = "x" }, HttpStatusCode.Created);
        await host.Worker.DrainAsync();
        Assert.All(host.World.Devices.Values.Where(d => d.FieldId == "cars"), d => Assert.Equal(LifecycleStates.Abnormal, d.State));
        Assert.All(await host.LeasesAsync(), l => Assert.Equal(LeaseStates.Done, l.State));
    }

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, object body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var answer = await client.PostAsJsonAsync(path, body);
        Assert.True(answer.StatusCode == expected, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static void AddDevices(TestHost host, int count)
    {
        for (var i = 0; i < count; i++)
        {
            host.World.AddDevice(FormattableString.Invariant($"d9{i:d14}"), "cars", $"車両 {i}");
        }
    }
}
