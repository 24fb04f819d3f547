using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Sekisho.Operations.Otlp;

namespace Sekisho.Operations.Tests;

public class OtlpTests
{
    [Fact]
    public async Task Metrics_and_traces_reach_a_collector_over_http_protobuf()
    {
        var got = new ConcurrentDictionary<string, byte[]>();
        var credentials = new ConcurrentQueue<string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        await using var collector = builder.Build();
        collector.MapPost("/{**path}", async (HttpRequest request, string path, ILoggerFactory _) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            got[path + " " + request.ContentType] = body.ToArray();
            credentials.Enqueue(request.Headers["X-Credential"].ToString());
            return Results.Bytes([], "application/x-protobuf");
        });
        await collector.StartAsync();

        using (var export = new OtlpExport(new OtlpSettings { Endpoint = collector.Urls.Single() + "/", HeadersSecret = "X-Credential=abc" }))
        {
            export.Start();
            using var meter = new Meter("Sekisho");
            meter.CreateCounter<long>("sekisho_otlp_test_total").Add(1, new KeyValuePair<string, object?>("kind", "marker"));
            using var source = new System.Diagnostics.ActivitySource("Sekisho");
            using (source.StartActivity("lane-commit"))
            {
            }
        }

        Assert.True(Contains(got["v1/metrics application/x-protobuf"], "sekisho_otlp_test_total"));
        Assert.True(Contains(got["v1/traces application/x-protobuf"], "lane-commit"));
        Assert.All(credentials, c => Assert.Equal("abc", c));
    }

    [Fact]
    public void Without_an_endpoint_nothing_is_sent()
    {
        using var export = new OtlpExport(new OtlpSettings());
        export.Start();
        using var source = new System.Diagnostics.ActivitySource("Sekisho");
        Assert.Null(source.StartActivity("nobody listens"));
    }

    private static bool Contains(byte[] message, string text) => message.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
}
