using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Scripts;

/// <summary>The examples in scripts/response do what they say.</summary>
public class ExampleTests
{
    // 2026-04-01, the test clock's day, is a Wednesday; its midnight (UTC) is nine o'clock in Tokyo.
    private static readonly TimeSpan Evening = TimeSpan.FromHours(11);

    private static readonly string Folder = Find();

    [Fact]
    public void Every_example_can_be_read_and_has_a_test()
    {
        var names = Directory.GetFiles(Folder, "*.lua").Select(Path.GetFileNameWithoutExtension).Order().ToList();
        Assert.Equal(["duty-hours-ladder", "out-of-school-hours", "two-conditions-agree"], names);
        foreach (var name in names)
        {
            using var script = ResponseScript.Open(Text(name!), out var faults);
            Assert.True(faults.Count == 0, $"{name}: {string.Join(' ', faults)}");
        }
    }

    [Fact]
    public async Task Out_of_school_hours_people_are_told_and_nothing_is_taken_from_a_device()
    {
        await using var host = await OfAsync("out-of-school-hours");
        host.Commit(host.Finding("within"), host.Finding("mild", "d000000000000002", level: Levels.Warning), host.Finding("no-device", device: null));
        await host.DrainAllAsync();
        Assert.Equal(["mail", "restrict-rate"], (await host.OrdersOfAsync("within")).Keys.Order());
        Assert.Equal(["mail"], (await host.OrdersOfAsync("mild")).Keys);
        Assert.Equal(["mail"], (await host.OrdersOfAsync("no-device")).Keys);

        host.Clock.Leap(Evening);
        host.Commit(host.Finding("evening", "d000000000000003", level: Levels.Critical));
        host.Clock.Leap(TimeSpan.FromDays(3) - TimeSpan.FromHours(8));
        host.Commit(host.Finding("saturday", "d000000000000003", level: Levels.Critical));
        await host.DrainAllAsync();
        Assert.Equal(["mail-administrator"], (await host.OrdersOfAsync("evening")).Keys);
        Assert.Equal(["mail-administrator"], (await host.OrdersOfAsync("saturday")).Keys);
    }

    [Fact]
    public async Task A_device_is_suspended_only_when_two_different_conditions_agree_within_an_hour()
    {
        await using var host = await OfAsync("two-conditions-agree");
        host.Commit(host.Finding("first"));
        await host.DrainAllAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        host.Commit(host.Finding("same-opinion"), host.Finding("other-device", "d000000000000002", condition: "cadence"));
        await host.DrainAllAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(61));
        host.Commit(host.Finding("too-late", condition: "cadence"));
        await host.DrainAllAsync();
        foreach (var alone in (string[])["first", "same-opinion", "other-device", "too-late"])
        {
            Assert.Equal(["mail"], (await host.OrdersOfAsync(alone)).Keys);
        }

        host.Clock.Leap(TimeSpan.FromMinutes(20));
        host.Commit(host.Finding("agrees", condition: "clone"));
        await host.DrainAllAsync();
        var suspend = (await host.OrdersOfAsync("agrees"))["suspend-authentication"];
        Assert.Equal((LeaseStates.Done, "clone and cadence within an hour"), (suspend.State, suspend.Details.Reason));

        host.Commit(host.Finding("suspended-already", condition: "source"));
        await host.DrainAllAsync();
        Assert.Equal(["mail"], (await host.OrdersOfAsync("suspended-already")).Keys);
        using var client = host.Client(Roles.Auditor);
        Assert.Contains(await client.RunsAsync("two-conditions-agree"), r => r.GetProperty("log").EnumerateArray().Any(l => l.GetString() == "cadence agrees, 20 min ago"));
    }

    [Fact]
    public async Task The_ladder_climbs_faster_off_duty_asks_a_person_on_duty_and_leaves_devices_under_maintenance_alone()
    {
        await using var host = await OfAsync("duty-hours-ladder");
        host.Commit(host.Finding("on-duty"));
        await host.DrainAllAsync();
        var onDuty = await host.OrdersOfAsync("on-duty");
        Assert.Equal(["mail-person-in-charge", "restrict-rate", "suspend-authentication"], onDuty.Keys.Order());
        Assert.Equal((host.Time.GetUtcNow().AddMinutes(30), "one-person"), (onDuty["restrict-rate"].NextTryAt!.Value, onDuty["suspend-authentication"].Approval));

        host.Clock.Leap(Evening);
        await host.DrainAllAsync();
        Assert.Equal((LeaseStates.Done, LeaseStates.WaitingApproval), ((await host.OrdersOfAsync("on-duty"))["restrict-rate"].State, (await host.OrdersOfAsync("on-duty"))["suspend-authentication"].State));
        host.Commit(host.Finding("off-duty", "d000000000000002"));
        await host.DrainAllAsync();
        var offDuty = await host.OrdersOfAsync("off-duty");
        Assert.Equal((host.Time.GetUtcNow().AddMinutes(5), host.Time.GetUtcNow().AddMinutes(30), "automatic"), (offDuty["restrict-rate"].NextTryAt!.Value, offDuty["suspend-authentication"].NextTryAt!.Value, offDuty["suspend-authentication"].Approval));
        host.Clock.Leap(TimeSpan.FromMinutes(31));
        await host.DrainAllAsync();
        Assert.Equal(LeaseStates.Done, (await host.OrdersOfAsync("off-duty"))["suspend-authentication"].State);

        host.Say("d000000000000003", "maintenance");
        host.Commit(host.Finding("maintained", "d000000000000003"));
        await host.DrainAllAsync();
        Assert.Equal(["mail"], (await host.OrdersOfAsync("maintained")).Keys);
    }

    private static async Task<TestHost> OfAsync(string name)
    {
        var host = await TestHost.StartAsync(Dialect.Sqlite);
        await host.PutInForceAsync(name, Text(name));
        host.Bind(ScriptSite.Runs(name));
        return host;
    }

    private static string Text(string name) => File.ReadAllText(Path.Combine(Folder, name + ".lua"));

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var scripts = Path.Combine(folder.FullName, "scripts", "response");
            if (Directory.Exists(scripts))
            {
                return scripts;
            }
        }

        throw new InvalidOperationException("There is no folder scripts/response above the tests.");
    }
}
