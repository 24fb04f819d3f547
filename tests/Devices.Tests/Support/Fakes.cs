using System.Collections.Concurrent;
using System.Data.Common;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sekisho.Api.Access;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;

namespace Sekisho.Devices.Tests.Support;

/// <summary>Stands for the journal. Any thread.</summary>
internal sealed class FakeJournal : IEventJournal
{
    private readonly Lock _turn = new(); // guards _events and _waiting
    private readonly List<GatewayEvent> _events = [];
    private readonly List<(Func<GatewayEvent, bool> Is, TaskCompletionSource<GatewayEvent> Seen)> _waiting = [];

    public bool Broken { get; set; }

    public IReadOnlyList<GatewayEvent> Events
    {
        get
        {
            lock (_turn)
            {
                return [.. _events];
            }
        }
    }

    public ValueTask<long> AppendAsync(IReadOnlyList<GatewayEvent> events, CancellationToken cancellation)
    {
        Assert.NotEmpty(events);
        if (Broken)
        {
            throw new JournalUnavailableException("no space", TimeSpan.FromSeconds(7));
        }

        lock (_turn)
        {
            _events.AddRange(events);
            foreach (var (matches, seen) in _waiting.ToList())
            {
                if (events.FirstOrDefault(matches) is { } found)
                {
                    seen.TrySetResult(found);
                }
            }

            return ValueTask.FromResult((long)_events.Count);
        }
    }

    public Task<GatewayEvent> SeenAsync(Func<GatewayEvent, bool> matches)
    {
        lock (_turn)
        {
            if (_events.FirstOrDefault(matches) is { } found)
            {
                return Task.FromResult(found);
            }

            var seen = new TaskCompletionSource<GatewayEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((matches, seen));
            return seen.Task.WaitAsync(TimeSpan.FromSeconds(20));
        }
    }

    public IEnumerable<string> Outcomes(string deviceId) => Events.OfType<AuthenticationEvent>().Where(e => e.DeviceId == deviceId).Select(e => e.Outcome);
}

internal sealed class FakeRefusals : IRefusals
{
    public ConcurrentQueue<Refusal> All { get; } = new();

    public void Count(Refusal refusal) => All.Enqueue(refusal);
}

internal sealed class FakeHistory : IHistory
{
    public ConcurrentQueue<HistoryRecord> All { get; } = new();

    public void Append(HistoryRecord record, DbTransaction transaction)
    {
        Assert.NotNull(transaction.Connection);
        All.Enqueue(record);
    }
}

internal sealed class FakeAudit : IOperatorAudit
{
    public ConcurrentQueue<OperatorAction> All { get; } = new();

    public Task RecordAsync(OperatorAction action, CancellationToken cancellation)
    {
        All.Enqueue(action);
        return Task.CompletedTask;
    }
}

/// <summary>Signs in whom the headers name: "X-Roles" and "X-Fields".</summary>
internal sealed class HeaderSignIn(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
{
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers["X-Roles"].Count == 0)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var identity = new ClaimsIdentity(Principal.Scheme);
        identity.AddClaim(new Claim(Principal.Name, "hanako"));
        identity.AddClaims(Request.Headers["X-Roles"].ToString().Split(',').Select(r => new Claim(Principal.Role, r)));
        identity.AddClaims(Request.Headers["X-Fields"].ToString().Split(',').Select(f => new Claim(Principal.Field, f)));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Principal.Scheme)));
    }
}
