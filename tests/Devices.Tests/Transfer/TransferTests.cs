using System.Net.Http.Headers;
using System.Text;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Devices.Tests.Transfer;

public sealed class TransferTests
{
    private const string Good = """
        uniqueIdType,uniqueId,name,kind,cadence,intervalSeconds,parentUniqueId,userUniqueId,productLine
        serial,C-1,子機,door-sensor,interval,60,A0:B1:C2:D3:E4:F5,hanako,
        mac,A0B1C2D3E4F5,"親機, 1階",home-gateway,event,,,,
        user,hanako,花子,,,,,,
        serial,L-1,=cmd,cleaner,irregular,,,,掃除機

        """;

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_file_registers_devices_that_name_each_other_and_an_export_reads_back(Dialect dialect)
    {
        await using var host = await DeviceHost.StartAsync(dialect);
        (await host.PostAsync("/api/v1/fields/home/product-lines", new { name = "掃除機" })).Expect(201);
        var dry = (await ImportAsync(host, Good, "?dryRun=true")).Expect(200);
        Assert.Equal((true, 4), ((bool)dry["dryRun"]!, (int)dry["rows"]!));
        Assert.Equal(0, host.Get<DeviceIndex>().Count);

        var done = (await ImportAsync(host, "\uFEFF" + Good.ReplaceLineEndings("\r\n"))).Expect(200);
        var devices = done["devices"].AsArray();
        Assert.Equal([2, 3, 4, 5], devices.Select(d => (int)d!["row"]!));
        Assert.Null((string?)devices[3]!["authSecret"]);
        await host.RestartAsync();
        var child = host.Get<DeviceIndex>().Find((string)devices[0]!["deviceId"]!)!.Profile;
        Assert.Equal(((string)devices[1]!["deviceId"]!, (string)devices[2]!["deviceId"]!, "子機"), (child.ParentId, child.UserId, child.Name));
        await host.BindAsync(new TestDevice(child.DeviceId, (string)devices[0]!["commonAuthId"]!, (string)devices[0]!["authSecret"]!, "C-1"));

        var export = (await host.GetAsync("/api/v1/fields/home/devices/export")).Expect(200);
        Assert.Contains("'=cmd", export.Text, StringComparison.Ordinal);
        Assert.DoesNotContain((string)devices[0]!["authSecret"]!, export.Text, StringComparison.Ordinal);
        Assert.Equal(Encoding.UTF8.Preamble.ToArray(), (await export.Message.Content.ReadAsByteArrayAsync())[..3]);
        Assert.DoesNotContain("hanako", (await host.SendAsync(HttpMethod.Get, "/api/v1/fields/home/devices/export", null, "auditor")).Expect(200).Text, StringComparison.Ordinal);

        var again = (await ImportAsync(host, export.Text)).Expect(422);
        Assert.Equal(["row 2", "row 3", "row 4", "row 5"], again["faults"].AsArray().Select(f => (string)f!["place"]!).Order());
        foreach (var device in devices)
        {
            (await host.SendAsync(HttpMethod.Delete, $"/api/v1/fields/home/devices/{device!["deviceId"]}")).Expect(204);
        }

        var back = (await ImportAsync(host, export.Text)).Expect(200)["devices"].AsArray();
        Assert.Contains(host.Get<DeviceIndex>().Of("home"), e => e.Profile.Name == "=cmd");
        Assert.Equal(4, back.Count);
    }

    [Fact]
    public async Task Each_broken_row_is_named_and_nothing_is_registered()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        await host.RegisterAsync(new { uniqueId = "TAKEN" });
        const string Bad = """
            uniqueIdType,uniqueId,name,kind,cadence,intervalSeconds,parentUniqueId,userUniqueId,productLine
            serial,OK-1,x,sensor,event,,,,
            imei,1,x,sensor,event,,,,
            serial,OK-2,x,sensor,interval,soon,,,
            serial,TAKEN,x,sensor,event,,,,
            serial,OK-1,x,sensor,event,,,,
            serial,OK-3,x,sensor,event,,nobody,,
            serial,OK-4,x,sensor,event,,,,nothing
            serial,OK-5,x
            serial,L-1,x,sensor,event,,L-2,,
            serial,L-2,x,sensor,event,,L-1,,
            """;
        var faults = (await ImportAsync(host, Bad)).Expect(422)["faults"].AsArray().Select(f => (string)f!["place"]!).Distinct();
        Assert.Equal(["row 10", "row 11", "row 3", "row 4", "row 5", "row 6", "row 7", "row 8", "row 9"], faults.Order(StringComparer.Ordinal));
        Assert.Equal(1, host.Get<DeviceIndex>().Count);
        await host.RestartAsync();
        Assert.Equal(1, host.Get<DeviceIndex>().Count);
    }

    [Theory]
    [InlineData("", "file")]
    [InlineData("uniqueIdType,uniqueId\n", "file")]
    [InlineData("uniqueIdType,uniqueId,colour\nserial,1,red\n", "row 1")]
    [InlineData("uniqueIdType,uniqueId,kind\nserial,\"1,red\n", "row 2")]
    public async Task A_file_that_is_no_table_of_devices_says_where(string file, string place)
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        Assert.Equal(place, (string)(await ImportAsync(host, file)).Expect(422)["faults"][0]!["place"]!);
    }

    [Fact]
    public async Task Other_types_other_encodings_and_files_too_large_are_refused()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        (await host.PostAsync("/api/v1/fields/home/devices/import", new { a = 1 })).Expect(415);
        using var shiftJis = new ByteArrayContent([.. "uniqueIdType,uniqueId,name,kind\nserial,1,"u8, 0x83, 0x5b, .. ",sensor\n"u8]);
        shiftJis.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        (await host.PostAsync("/api/v1/fields/home/devices/import", shiftJis)).Expect(422);
        (await ImportAsync(host, new string('x', (4 << 20) + 1))).Expect(413);
        var rows = new StringBuilder("uniqueIdType,uniqueId,kind\n");
        for (var i = 0; i <= 10_000; i++)
        {
            rows.Append("serial,").Append(i).Append(",sensor\n");
        }

        (await ImportAsync(host, rows.ToString())).Expect(422);
        Assert.Equal(0, host.Get<DeviceIndex>().Count);
    }

    [Fact]
    public async Task The_answer_is_CSV_for_who_asks_for_it()
    {
        await using var host = await DeviceHost.StartAsync(Dialect.Sqlite);
        using var file = Csv("uniqueIdType,uniqueId,kind\nserial,1,sensor\n");
        var answer = (await host.SendAsync(HttpMethod.Post, "/api/v1/fields/home/devices/import", file, accept: "text/csv")).Expect(200);
        var lines = answer.Text.TrimStart('\uFEFF').Split("\r\n");
        Assert.Equal("row,deviceId,commonAuthId,authSecret", lines[0]);
        Assert.Matches("^2,d[0-9a-z]{15},c[0-9a-z]{15},[A-Za-z0-9_-]{43}$", lines[1]);
    }

    private static async Task<Answer> ImportAsync(DeviceHost host, string text, string query = "")
    {
        using var file = Csv(text);
        return await host.PostAsync("/api/v1/fields/home/devices/import" + query, file);
    }

    private static StringContent Csv(string text) => new(text, Encoding.UTF8, "text/csv");
}
