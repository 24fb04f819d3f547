using System.Net.Http.Json;
using Dapper;
using Sekisho.Api.Access;
using Sekisho.Domain.Devices;
using Sekisho.Response.Tests.Support;
using Sekisho.Response.Upkeep;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Upkeep;

public class DeletedFieldsTests
{
    private static readonly string[] Tables = ["notification", "notification_former", "webhook", "ticket_desk", "sim_provider", "soc_receiver", "soc_progress", "soc_field", "emergency_plan"];

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Secrets_and_addresses_of_a_deleted_field_go_a_day_later_and_those_of_others_stay(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        foreach (var field in (string[])["cars", "homes"])
        {
            await SetAsync(host, field);
        }

        await host.Worker.DrainAsync();

        var looks = host.Get<DeletedFields>();
        await looks.LookAsync(default);
        host.World.AllFields.TryRemove("homes", out _);
        await looks.LookAsync(default);
        await looks.LookAsync(default);
        Assert.Equal(await RowsAsync(host, "cars"), await RowsAsync(host, "homes"));

        host.Clock.Advance(TimeSpan.FromHours(25));
        await looks.LookAsync(default);
        Assert.Equal(0, await RowsAsync(host, "homes"));
        Assert.True(await RowsAsync(host, "cars") >= 4);
    }

    [Fact]
    public async Task What_a_response_in_force_needs_to_be_undone_stays_until_it_is()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        await SetAsync(host, "cars");
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        var looks = host.Get<DeletedFields>();
        host.World.AllFields.TryRemove("cars", out var profile);
        await looks.LookAsync(default);
        host.Clock.Advance(TimeSpan.FromHours(25));
        await looks.LookAsync(default);
        Assert.True(await RowsAsync(host, "cars") > 0);

        host.World.AllFields["cars"] = profile!;
        using var person = host.Client(Roles.Administrator, "hanako");
        (await person.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "it is scrapped" })).EnsureSuccessStatusCode();
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(lease.DeviceId!));
        host.World.AllFields.TryRemove("cars", out _);
        await looks.LookAsync(default);
        Assert.Equal(0, await RowsAsync(host, "cars"));
    }

    private static async Task SetAsync(TestHost host, string field)
    {
        await host.NotifyAsync(["first@example.jp"], field: field);
        await host.NotifyAsync(["second@example.jp"], field: field);
        using var client = host.Client(Roles.Administrator, field: field);
        (await client.PostAsJsonAsync($"/api/v1/fields/{field}/notification/webhooks", new { name = "chat", url = "https://127.0.0.1:1/", language = "ja" })).EnsureSuccessStatusCode();
        (await client.PostAsJsonAsync($"/api/v1/fields/{field}/soc/receivers", new { name = "SOC", host = "127.0.0.1", port = 1, tls = false, format = "cef" })).EnsureSuccessStatusCode();
    }

    private static async Task<long> RowsAsync(TestHost host, string field)
    {
        var rows = 0L;
        foreach (var table in Tables)
        {
            rows += await host.Store.Databases.State.ReadAsync(c => c.ExecuteScalarAsync<long>(
                table == "soc_progress" ? "SELECT COUNT(*) FROM soc_progress p JOIN soc_receiver r ON r.id = p.receiver_id WHERE r.field_id = @field" : $"SELECT COUNT(*) FROM {table} WHERE field_id = @field", new { field }));
        }

        return rows;
    }
}
