using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Operations.Accounts;

/// <summary>Maintainers' routes for accounts. For persons only: a key that could make accounts could make itself anything.</summary>
internal static class AccountRoutes
{
    private static readonly ProblemType LastMaintainer = new("last-maintainer", StatusCodes.Status409Conflict);

    public static void Map(RouteGroups routes)
    {
        routes.Ops.MapGet("/accounts", (HttpContext _, AccountBook book) => Results.Ok(book.All.Select(AccountView.Of).ToArray()))
            .WithMetadata(new RouteAccess([Roles.Maintainer], Scope: null))
            .WithName("ListAccounts").WithSummary("Lists the accounts.").WithTags("Operations").Produces<AccountView[]>();

        routes.Ops.MapPost("/accounts", CreateAsync).MaintainsInPerson("account.create")
            .WithName("CreateAccount").WithSummary("Makes an account; the answer shows its one-time password, once.").WithTags("Operations").Produces<OneTimePassword>(StatusCodes.Status201Created);

        routes.Ops.MapPut("/accounts/{name}", ChangeAsync).MaintainsInPerson("account.change")
            .WithName("ChangeAccount").WithSummary("Sets roles, fields, language and whether the account is disabled.").WithTags("Operations").Produces<AccountView>();

        routes.Ops.MapPost("/accounts/{name}/password", ResetAsync).MaintainsInPerson("account.reset-password")
            .WithName("ResetPassword").WithSummary("Gives the account a new one-time password, shown once, and ends its sessions.").WithTags("Operations").Produces<OneTimePassword>();

        routes.Ops.MapDelete("/accounts/{name}", async (string name, AccountBook book) => Answer(await book.RemoveAsync(name).ConfigureAwait(false)))
            .MaintainsInPerson("account.remove")
            .WithName("RemoveAccount").WithSummary("Removes the account, its sessions and the API keys it made.").WithTags("Operations").Produces(StatusCodes.Status204NoContent);
    }

    /// <summary>A change that only a signed-in maintainer may make, never a key.</summary>
    public static RouteHandlerBuilder MaintainsInPerson(this RouteHandlerBuilder route, string action) =>
        route.WithMetadata(new RouteAccess([Roles.Maintainer], Scope: null), new Change(action));

    /// <summary>Of an account that is made without one.</summary>
    private const string DefaultLanguage = "ja";

    private static async Task<IResult> CreateAsync(NewAccount body, HttpContext context, AccountBook book, Passwords passwords, IDeviceDirectory directory, Texts texts)
    {
        var faults = new AccountFaults(texts, context);
        faults.Name(body.Name);
        faults.RoleNames(body.Roles);
        faults.FieldNames(body.Fields, body.Roles, directory);
        faults.Language(body.Language ?? DefaultLanguage);
        if (faults.Problem is { } problem)
        {
            return problem;
        }

        context.Response.Headers.CacheControl = "no-store";
        var password = Passwords.Generate();
        var account = await book.CreateAsync(body.Name!, passwords.Hash(password), [.. body.Roles!.Distinct()], [.. body.Fields!.Distinct()], body.Language ?? DefaultLanguage).ConfigureAwait(false);
        return account is null ? Answer(AccountOutcome.Exists) : Results.Created($"/ops/v1/accounts/{account.Name}", new OneTimePassword(account.Name, password));
    }

    private static async Task<IResult> ChangeAsync(string name, ChangedAccount body, HttpContext context, AccountBook book, IDeviceDirectory directory, Texts texts)
    {
        var faults = new AccountFaults(texts, context);
        faults.RoleNames(body.Roles);
        faults.FieldNames(body.Fields, body.Roles, directory);
        faults.Language(body.Language);
        if (body.Disabled is null)
        {
            faults.Add("/disabled", "operations.fault.disabled");
        }

        if (faults.Problem is { } problem)
        {
            return problem;
        }

        var outcome = await book.ChangeAsync(name, [.. body.Roles!.Distinct()], [.. body.Fields!.Distinct()], body.Language!, body.Disabled!.Value).ConfigureAwait(false);
        return outcome == AccountOutcome.Done && book.ByName(name) is { } account ? Results.Ok(AccountView.Of(account)) : Answer(outcome);
    }

    private static async Task<IResult> ResetAsync(string name, HttpContext context, AccountBook book, Passwords passwords)
    {
        if (book.ByName(name) is not { } account)
        {
            return Answer(AccountOutcome.NotFound);
        }

        context.Response.Headers.CacheControl = "no-store";
        var password = Passwords.Generate();
        var outcome = await book.SetPasswordAsync(account.Name, passwords.Hash(password), mustSetPassword: true).ConfigureAwait(false);
        return outcome == AccountOutcome.Done ? Results.Ok(new OneTimePassword(account.Name, password)) : Answer(outcome);
    }

    private static IResult Answer(AccountOutcome outcome) => outcome switch
    {
        AccountOutcome.Done => Results.NoContent(),
        AccountOutcome.LastMaintainer => Problem.Of(LastMaintainer),
        AccountOutcome.Exists => Problem.Of(CommonProblems.Conflict),
        _ => Problem.Of(CommonProblems.NotFound),
    };
}

internal sealed record NewAccount(string? Name = null, string[]? Roles = null, string[]? Fields = null, string? Language = null);

internal sealed record ChangedAccount(string[]? Roles = null, string[]? Fields = null, string? Language = null, bool? Disabled = null);

internal sealed record OneTimePassword(string Name, string Password);

internal sealed record AccountView(string Name, IReadOnlyList<string> Roles, IReadOnlyList<string> Fields, string Language, bool MustSetPassword, bool Disabled, DateTimeOffset CreatedAt)
{
    public static AccountView Of(Account a) => new(a.Name, a.Roles, a.Fields, a.Language, a.MustSetPassword, a.Disabled, a.CreatedAt);
}
