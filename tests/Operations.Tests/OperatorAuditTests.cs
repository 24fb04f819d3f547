using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Domain.Operations;
using Sekisho.Operations.OperatorAudit;
using Sekisho.Storage;

namespace Sekisho.Operations.Tests;

public class OperatorAuditTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Many_writers_at_once_make_one_unbroken_chain(Dialect dialect)
    {
        var (host, token) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        var audit = host.Services.GetRequiredService<IOperatorAudit>();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => audit.RecordAsync(Action("cars", "n=" + i), CancellationToken.None))));
        await host.RestartAsync();
        await host.Services.GetRequiredService<IOperatorAudit>().RecordAsync(Action(null, "after the restart"), CancellationToken.None);

        var verdict = await AuditChain.VerifyAsync(host.Store.Databases, host.Store.Key);
        Assert.True(verdict.Intact, verdict.Sentence);
        Assert.True(verdict.Rows >= 43);
        Assert.Equal(verdict.Rows, host.History.Records.Count);
        var shown = (await host.SendAsync("GET", "/ops/v1/audit/verification", token: token)).Expect(200);
        Assert.True(shown["intact"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Tampering_with_the_store_is_told_in_the_readers_language(Dialect dialect)
    {
        var (host, token) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        var audit = host.Services.GetRequiredService<IOperatorAudit>();
        for (var i = 0; i < 5; i++)
        {
            await audit.RecordAsync(Action("cars", "n=" + i), CancellationToken.None);
        }

        await ExecuteAsync(host, "UPDATE operator_audit SET actor = 'nobody' WHERE id = 3");
        await ExecuteAsync(host, "DELETE FROM operator_audit WHERE id = 5");
        var shown = (await host.SendAsync("GET", "/ops/v1/audit/verification", token: token, language: "ja")).Expect(200);
        Assert.False(shown["intact"]!.GetValue<bool>());
        Assert.Equal("""[["changed",3],["missing",5]]""", $"[{string.Join(',', shown["faults"]!.AsArray().Select(f => $"[\"{f!["kind"]}\",{f["id"]}]"))}]");
        Assert.Equal("記録 3 が書き換えられています。", shown["faults"]![0]!["message"]!.GetValue<string>());
        Assert.Contains("entry 3: changed", (await AuditChain.VerifyAsync(host.Store.Databases, host.Store.Key)).Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_removed_head_stops_changes_and_leaves_a_mark_for_good(Dialect dialect)
    {
        var (host, token) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        await ExecuteAsync(host, "DELETE FROM operator_audit WHERE id > 1");
        await ExecuteAsync(host, "DELETE FROM operator_audit_head");
        await Assert.ThrowsAsync<StorageException>(() => host.Services.GetRequiredService<IOperatorAudit>().RecordAsync(Action(null, ""), CancellationToken.None));
        await host.RestartAsync();
        (await host.SendAsync("POST", "/ops/v1/stages/detection/pause", token: token)).Expect(200);
        var verdict = await AuditChain.VerifyAsync(host.Store.Databases, host.Store.Key);
        Assert.Equal([new AuditFault("head-lost", 2)], verdict.Faults);
        await host.RestartAsync();
        Assert.Equal(verdict.Faults, (await AuditChain.VerifyAsync(host.Store.Databases, host.Store.Key)).Faults);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Entry_and_history_are_written_together_or_not_at_all(Dialect dialect)
    {
        var (host, token) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        var before = await AuditChain.VerifyAsync(host.Store.Databases, host.Store.Key);
        host.History.Broken = true;
        var answer = await host.SendAsync("POST", "/ops/v1/stages/detection/pause", token: token);
        Assert.Equal(500, answer.Status);
        Assert.False(host.Stage.Status.Paused);
        host.History.Broken = false;
        Assert.Equal(before.Rows, (await AuditChain.VerifyAsync(host.Store.Databases, host.Store.Key)).Rows);
        Assert.True(before.Intact);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Pages_run_newest_first_and_a_field_sees_its_own_rows_only(Dialect dialect)
    {
        var (host, token) = await OperationsHost.WithAccountAsync(dialect);
        await using var _ = host;
        var audit = host.Services.GetRequiredService<IOperatorAudit>();
        for (var i = 0; i < 7; i++)
        {
            await audit.RecordAsync(Action(i % 2 == 0 ? "cars" : "homes", "n=" + i), CancellationToken.None);
        }

        var seen = new List<string>();
        string? after = "";
        while (after is not null)
        {
            var page = (await host.SendAsync("GET", $"/api/v1/fields/cars/audit?limit=2{(after.Length > 0 ? "&after=" + after : "")}", token: token)).Expect(200);
            Assert.All(page["items"]!.AsArray(), r => Assert.Equal("cars", r!["fieldId"]!.GetValue<string>()));
            seen.AddRange(page["items"]!.AsArray().Select(r => r!["target"]!.GetValue<string>()));
            after = page["next"]?.GetValue<string>();
        }

        Assert.Equal(["n=6", "n=4", "n=2", "n=0"], seen);
        (await host.SendAsync("GET", "/ops/v1/audit?after=-1", token: token)).ExpectProblem(400, "bad-request");
        (await host.SendAsync("GET", "/ops/v1/audit?after=1;DROP", token: token)).ExpectProblem(400, "bad-request");
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_the_store_cannot_hold_as_it_is_still_verifies(Dialect dialect)
    {
        var (host, _) = await OperationsHost.WithAccountAsync(dialect);
        await using var __ = host;
        var audit = host.Services.GetRequiredService<IOperatorAudit>();
        foreach (var target in (string[])["a\0b", "half \ud83d", new string('長', 5000), "'; DROP TABLE operator_audit; --", "\u0001\r\n"])
        {
            await audit.RecordAsync(Action("cars", target), CancellationToken.None);
        }

        var verdict = await AuditChain.VerifyAsync(host.Store.Databases, host.Store.Key);
        Assert.True(verdict.Intact, verdict.Sentence);
    }

    [Fact]
    public async Task Sign_ins_are_recorded_with_the_name_only_when_somebody_has_it()
    {
        var (host, token) = await OperationsHost.WithAccountAsync();
        await using var _ = host;
        await host.SendAsync("POST", "/api/v1/session", new { name = "hanako", password = "wrong wrong wrong" });
        await host.SendAsync("POST", "/api/v1/session", new { name = "my secret password", password = "" });
        var rows = (await host.SendAsync("GET", "/ops/v1/audit?limit=3", token: token)).Expect(200)["items"]!.AsArray();
        Assert.Equal(["anonymous refused", "hanako refused", "hanako asked"], rows.Select(r => $"{r!["actor"]} {r["outcome"]}"));
        Assert.All(rows, r => Assert.Equal("session.start", r!["action"]!.GetValue<string>()));
    }

    private static OperatorAction Action(string? fieldId, string target) => new("hanako", "device.remove", fieldId, target, "asked", "0123456789abcdef0123456789abcdef");

    private static Task ExecuteAsync(OperationsHost host, string sql) =>
        host.Store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(sql, transaction: t));
}
