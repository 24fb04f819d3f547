using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api.Access;
using Sekisho.Distribution.Journal;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Gateway;

/// <summary>The stage in a host of its own on a real socket, with stand-ins for the ports of other stages and the lanes done by hand.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private static readonly (string, string)[] NoSettings = [];
    private WebApplication _app = null!;
    private (string, string)[] _settings = NoSettings;

    public required TestStore Store { get; init; }

    public TimeProvider Clock { get; private init; } = TimeProvider.System;

    public StandInHistory History { get; } = new();

    public StandInDevices Devices { get; } = new();

    public HttpClient Http { get; private set; } = null!;

    public Uri Address { get; private set; } = null!;

    public IServiceProvider Services => _app.Services;

    public EventJournal Journal => Services.GetRequiredService<EventJournal>();

    public IEventFeed Feed => Services.GetRequiredService<IEventFeed>();

    public static async Task<TestGateway> StartAsync(Dialect dialect = Dialect.Sqlite, TimeProvider? clock = null, params (string, string)[] settings)
    {
        clock ??= TimeProvider.System;
        var gateway = new TestGateway { Store = await TestStore.CreateAsync(dialect, clock), Clock = clock, _settings = settings };
        await gateway.OpenAsync();
        return gateway;
    }

    public async Task RestartAsync()
    {
        await CloseAsync();
        await Store.ReopenAsync();
        await OpenAsync();
    }

    public HttpRequestMessage Messages(string device, HttpContent content, string? token = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/device/v1/messages") { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token ?? "good-" + device);
        request.Headers.Add("Sekisho-Device", device);
        return request;
    }

    public async Task<HttpResponseMessage> SendAsync(string device, string json, string? token = null) =>
        await Http.SendAsync(Messages(device, new StringContent(json, Encoding.UTF8, "application/json"), token));

    public async Task<HttpResponseMessage> SendAsync(string device, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await Http.SendAsync(Messages(device, content));
    }

    public async Task<JsonNode> PutAsync(string path, object body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await Http.PutAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(expected == response.StatusCode, $"{response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await Http.GetStringAsync(path))!;

    /// <summary>All messages in the journal after a position.</summary>
    public async Task<List<MessageEvent>> JournaledAsync(long after = 0)
    {
        var messages = new List<MessageEvent>();
        while (after < Feed.LastPosition)
        {
            var events = await Feed.ReadAsync(after, 1000, CancellationToken.None);
            messages.AddRange(events.OfType<MessageEvent>());
            after = events[^1].Position;
        }

        return messages;
    }

    /// <summary>What the lanes would do: one chunk per field and kind out of what was journaled after a position, committed with the outbox.</summary>
    public async Task CommitAsync(IReadOnlyList<MessageEvent> messages, bool backlog = false)
    {
        var chunks = messages.GroupBy(m => m.FieldId).Select(g => new MessageChunk(g.Key, backlog, [.. g])).ToList();
        var batch = new LaneBatch
        {
            FirstPosition = messages[0].Position,
            LastPosition = messages[^1].Position,
            Chunks = chunks,
            Duplicates = [],
            Findings = [],
            Facts = [],
        };
        foreach (var chunk in chunks)
        {
            History.Chunks[chunk.Id] = chunk.Messages;
        }

        var parts = Services.GetServices<ILaneCommitPart>().ToList();
        Store.Databases.State.Write(t => parts.ForEach(p => p.Write(batch, t)));
        parts.ForEach(p => p.Committed(batch));
        Feed.Release(batch.LastPosition);
        await Task.CompletedTask;
    }

    /// <summary>Sends, journals and commits so many messages of a device: {"seq":FROM…}.</summary>
    public async Task<List<MessageEvent>> FeedAsync(string device, int from, int count, bool backlog = false)
    {
        var before = Feed.LastPosition;
        using var response = await SendAsync(device, "[" + string.Join(',', Enumerable.Range(from, count).Select(i => $"{{\"seq\":{i}}}")) + "]");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var messages = await JournaledAsync(before);
        await CommitAsync(messages, backlog);
        return messages;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await Store.DisposeAsync();
    }

    private async Task OpenAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(_settings.Select(s => KeyValuePair.Create(s.Item1, (string?)s.Item2)));
        builder.WebHost.UseKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Services
            .AddSingleton(Clock).AddSingleton(Store.Databases).AddSingleton(Store.Key)
            .AddSingleton<ITokenCheck>(Devices).AddSingleton<IDeviceDirectory>(Devices).AddSingleton<IUniqueIdLookup>(Devices)
            .AddSingleton<IHistory>(History).AddSingleton<IMessageStore>(History).AddSingleton<ILedger>(History)
            .AddSingleton(typeof(RouteGroups).Assembly)
            .AddSingleton(p => new Texts(p.GetServices<System.Reflection.Assembly>()))
            .AddDistribution();
        _app = builder.Build();
        await Migrations.ApplyAsync(Store.Databases, _app.Services.GetServices<StageMigrations>(), Clock);
        _app.Use((context, next) =>
        {
            // Callers are taken at their word.
            if (context.Request.Headers.TryGetValue("X-Name", out var name))
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity(
                    [new Claim(Principal.Name, name.ToString()), new Claim(Principal.HolderKind, context.Request.Headers["X-Holder"].ToString())], "test"));
            }

            return next(context);
        });
        _app.UseRouting();
        new RouteGroups(_app.MapGroup("/device/v1"), _app.MapGroup("/api/v1/fields/{fieldId}"), _app.MapGroup("/api/v1"), _app.MapGroup("/ops/v1"), _app.MapGroup("")).MapDistribution();
        await _app.StartAsync();
        Address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };
    }

    private async Task CloseAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
