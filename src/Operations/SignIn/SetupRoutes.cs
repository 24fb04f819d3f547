using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Operations.Accounts;

namespace Sekisho.Operations.SignIn;

/// <summary>The set-up of the first account. Works once.</summary>
internal static class SetupRoutes
{
    private static readonly ProblemType SetupDone = new("setup-done", StatusCodes.Status409Conflict);
    private static readonly ProblemType SetupCodeWrong = new("setup-code-wrong", StatusCodes.Status403Forbidden);

    public static void Map(RouteGroups routes) =>
        routes.Api.MapPost("/setup", SetUpAsync)
            .WithMetadata(new RouteAccess([], Scope: null, Anonymous: true), new BodyLimit(16 * 1024))
            .WithName("SetUp").WithSummary("Makes the first account with the code that the first start shows on the console.").WithTags("Operations").Produces(StatusCodes.Status201Created);

    private static async Task<IResult> SetUpAsync(
        SetupRequest body, HttpContext context, AccountBook accounts, Passwords passwords, FirstStart first, SignInLimiter limiter, IOperatorAudit audit, Texts texts)
    {
        if (!accounts.IsEmpty)
        {
            return Problem.Of(SetupDone);
        }

        var address = context.Connection.RemoteIpAddress;
        if (limiter.Enter(address, name: null) is { } wait)
        {
            return SessionRoutes.TooMany(wait);
        }

        var fits = first.Fits(body.Code);
        if (!fits)
        {
            await audit.RecordAsync(new OperatorAction("anonymous", "setup", null, "", "refused", Correlation.Of(context)), CancellationToken.None).ConfigureAwait(false);
            return Problem.Of(SetupCodeWrong);
        }

        limiter.Succeeded(address, name: null);
        var faults = new AccountFaults(texts, context);
        faults.Name(body.Name);
        faults.Password(body.Password, body.Name ?? "", "/password");
        if (faults.Problem is { } problem)
        {
            return problem;
        }

        await audit.RecordAsync(new OperatorAction(body.Name!, "setup", null, "", "asked", Correlation.Of(context)), CancellationToken.None).ConfigureAwait(false);
        if (await accounts.CreateFirstAsync(body.Name!, passwords.Hash(body.Password!), RequestLanguage.Of(context)).ConfigureAwait(false) is not { } account)
        {
            return Problem.Of(SetupDone);
        }

        first.Close();
        return Results.Created("/api/v1/session", new { account.Name, account.Roles });
    }
}

internal sealed record SetupRequest(string? Code = null, string? Name = null, string? Password = null);
