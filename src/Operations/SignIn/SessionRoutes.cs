using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Operations.Accounts;

namespace Sekisho.Operations.SignIn;

/// <summary>Signing in and out, who am I, an own password.</summary>
internal static class SessionRoutes
{
    private static readonly ProblemType SignInFailed = new("sign-in-failed", StatusCodes.Status401Unauthorized);
    private static readonly RouteAccess InPerson = new([], Scope: null, WhilePasswordUnset: true);

    public static void Map(RouteGroups routes)
    {
        routes.Api.MapPost("/session", StartAsync)
            .WithMetadata(new RouteAccess([], Scope: null, Anonymous: true), new BodyLimit(16 * 1024))
            .WithName("SignIn").WithSummary("Starts a session by name and password.").WithTags("Operations").Produces<SessionStarted>();

        routes.Api.MapGet("/session", (HttpContext context, AccountBook _) => Holder.Of(context) is { } h ? Results.Ok(SessionView.Of(h)) : Problem.Of(CommonProblems.SignInNeeded))
            .WithMetadata(InPerson)
            .WithName("WhoAmI").WithSummary("Who is signed in, with roles and fields.").WithTags("Operations").Produces<SessionView>();

        routes.Api.MapDelete("/session", async (HttpContext context, SessionBook sessions) =>
            {
                if (Holder.Of(context) is not { } holder)
                {
                    return Problem.Of(CommonProblems.SignInNeeded);
                }

                await sessions.EndAsync(holder.Session).ConfigureAwait(false);
                return Results.NoContent();
            })
            .WithMetadata(InPerson, new Change("session.end"))
            .WithName("SignOut").WithSummary("Ends this session.").WithTags("Operations").Produces(StatusCodes.Status204NoContent);

        routes.Api.MapPut("/session/password", SetPasswordAsync)
            .WithMetadata(InPerson, new Change("session.set-password"), new BodyLimit(16 * 1024))
            .WithName("SetPassword").WithSummary("Sets an own password and ends the account's other sessions.").WithTags("Operations").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> StartAsync(
        SignInRequest body, HttpContext context, AccountBook accounts, Passwords passwords, SessionBook sessions, SignInLimiter limiter, IOperatorAudit audit)
    {
        var name = Account.KeyOf(body.Name is { Length: > 64 } ? body.Name[..64] : body.Name ?? "");
        var address = context.Connection.RemoteIpAddress;
        if (limiter.Enter(address, name) is { } wait)
        {
            OperationsMetrics.SignIn("limited");
            return TooMany(wait);
        }

        var account = accounts.ByName(name);
        var verdict = await passwords.CheckAsync(account, body.Password ?? "", context.RequestAborted).ConfigureAwait(false);
        if (verdict == PasswordVerdict.Busy)
        {
            OperationsMetrics.SignIn("limited");
            return TooMany(TimeSpan.FromSeconds(1));
        }

        // A name that nobody has may be a password typed into the wrong box: it is not written down.
        var action = new OperatorAction(account?.Name ?? "anonymous", "session.start", null, "", verdict == PasswordVerdict.Wrong ? "refused" : "asked", Correlation.Of(context));
        await audit.RecordAsync(action, CancellationToken.None).ConfigureAwait(false);
        if (verdict == PasswordVerdict.Wrong)
        {
            OperationsMetrics.SignIn("refused");
            return Problem.Of(SignInFailed);
        }

        limiter.Succeeded(address, name);
        OperationsMetrics.SignIn("accepted");
        if (verdict == PasswordVerdict.RightButCheap)
        {
            await accounts.RehashAsync(account!, passwords.Hash(body.Password!)).ConfigureAwait(false);
        }

        var (token, session) = await sessions.StartAsync(account!).ConfigureAwait(false);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Ok(new SessionStarted(token, session.EndsAt, account!.MustSetPassword));
    }

    /// <summary>"Not now": the same answer wherever guessing is slowed down.</summary>
    public static IResult TooMany(TimeSpan wait) => Problem.Of(CommonProblems.TooMany).After(wait);

    private static async Task<IResult> SetPasswordAsync(
        PasswordRequest body, HttpContext context, AccountBook accounts, Passwords passwords, SessionBook sessions, SignInLimiter limiter, Texts texts)
    {
        if (Holder.Of(context) is not { } holder)
        {
            return Problem.Of(CommonProblems.SignInNeeded);
        }

        var account = holder.Account;
        var faults = new AccountFaults(texts, context);
        faults.Password(body.New, account.Name, "/new");
        if (body.New is not null && body.New == body.Current)
        {
            faults.Add("/new", "operations.fault.password-same");
        }

        if (faults.Problem is { } problem)
        {
            return problem;
        }

        // Whoever found an open session must not guess its password either.
        var address = context.Connection.RemoteIpAddress;
        if (limiter.Enter(address, account.NameKey) is { } wait)
        {
            return TooMany(wait);
        }

        var verdict = await passwords.CheckAsync(account, body.Current ?? "", context.RequestAborted).ConfigureAwait(false);
        if (verdict is PasswordVerdict.Busy)
        {
            return TooMany(TimeSpan.FromSeconds(1));
        }

        if (verdict is PasswordVerdict.Wrong)
        {
            faults.Add("/current", "operations.fault.password-current");
            return faults.Problem!;
        }

        limiter.Succeeded(address, account.NameKey);
        await accounts.SetPasswordAsync(account.Name, passwords.Hash(body.New!), mustSetPassword: false).ConfigureAwait(false);
        if (accounts.ById(account.Id) is { } changed)
        {
            await sessions.CarryOverAsync(holder.Session, changed).ConfigureAwait(false);
        }

        return Results.NoContent();
    }
}

internal sealed record SignInRequest(string? Name = null, string? Password = null);

internal sealed record PasswordRequest(string? Current = null, string? New = null);

internal sealed record SessionStarted(string Token, DateTimeOffset ExpiresAt, bool MustSetPassword);

internal sealed record SessionView(string Name, IReadOnlyList<string> Roles, IReadOnlyList<string> Fields, string Language, bool MustSetPassword, DateTimeOffset ExpiresAt)
{
    public static SessionView Of(Holder holder) =>
        new(holder.Account.Name, holder.Account.Roles, holder.Account.Fields, holder.Account.Language, holder.Account.MustSetPassword, holder.Session.EndsAt);
}
