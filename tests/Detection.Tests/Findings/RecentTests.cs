using Microsoft.Extensions.DependencyInjection;
using Sekisho.Detection.Tests.Scripts;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Signatures;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Findings;

/// <summary>What other stages ask about findings and signatures.</summary>
public class RecentTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Recent_findings_are_those_of_the_device_within_the_span_newest_first_without_what_is_only_tried_out(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        var source = FlowScriptTests.Script("return nil, { found = event.payload.t > 40 }");
        Assert.Equal(201, (await gateway.SendAsync(HttpMethod.Post, "/api/v1/fields/field/scripts/hot/versions", new { source })).Status);
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Post, "/api/v1/fields/field/scripts/hot/activate", new { })).Status);
        gateway.Feed.Append([.. Enumerable.Range(0, 10).Select(i => FlowScriptTests.Message(i * 60, i % 2 == 0 ? 50 : 10)), FlowScriptTests.Message(601, 50, "d2")]);
        await gateway.DoneAsync();
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Post, "/api/v1/fields/field/scripts/hot/activate", new { effect = "shadow" })).Status);
        gateway.Feed.Append([FlowScriptTests.Message(660, 10), FlowScriptTests.Message(720, 50)]);
        await gateway.DoneAsync();

        var findings = gateway.Services.GetRequiredService<IFindings>();
        async Task<IEnumerable<double>> RecentAsync(string device, int from, int to, int most = 100, string field = "field") =>
            (await findings.RecentAsync(field, device, Lab.Start.AddSeconds(from), Lab.Start.AddSeconds(to), most, CancellationToken.None)).Select(f => (f.RaisedAt - Lab.Start).TotalSeconds);
        Assert.Equal([480.0, 360, 240, 120, 0], await RecentAsync("d1", 0, 3600));
        Assert.Equal([360.0, 240, 120], await RecentAsync("d1", 120, 360));
        Assert.Equal([480.0, 360], await RecentAsync("d1", 0, 3600, most: 2));
        Assert.Equal([601.0], await RecentAsync("d2", 0, 3600));
        Assert.Empty(await RecentAsync("d1", 0, 3600, field: "another"));
    }

    [Fact]
    public async Task Other_stages_sign_and_judge_with_the_keys_of_templates_and_scripts()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        var signatures = gateway.Services.GetRequiredService<IFileSignatures>();
        var signed = signatures.Sign("text\n");
        Assert.Equal(SignatureVerdict.Good, gateway.Services.GetRequiredService<Sekisho.Detection.Templates.TemplateSigner>().Verify(signed, out var body, out var signer));
        Assert.Equal(("text\n", signatures.KeyId, false), (body, signer, signatures.AreRequired));
        gateway.Services.GetRequiredService<Sekisho.Detection.Scripts.ScriptSettings>().RequireSignature = true;
        Assert.True(signatures.AreRequired);
    }
}
