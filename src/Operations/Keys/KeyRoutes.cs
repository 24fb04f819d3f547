using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Operations.Accounts;
using Sekisho.Operations.SignIn;

namespace Sekisho.Operations.Keys;

/// <summary>Maintainers' routes for API keys. For persons only: a key cannot make keys.</summary>
internal static class KeyRoutes
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1826);

    public static void Map(RouteGroups routes)
    {
        routes.Ops.MapGet("/keys", (HttpContext _, KeyBook keys) => Results.Ok(keys.All.Select(k => KeyView.Of(k.Key, k.Maker)).ToArray()))
            .WithMetadata(new RouteAccess([Roles.Maintainer], Scope: null))
            .WithName("ListKeys").WithSummary("Lists the API keys, never the secrets.").WithTags("Operations").Produces<KeyView[]>();

        routes.Ops.MapPost("/keys", CreateAsync).MaintainsInPerson("key.create")
            .WithName("CreateKey").WithSummary("Makes an API key; the answer shows it, once. It never holds more than the account that made it.").WithTags("Operations").Produces<KeyCreated>(StatusCodes.Status201Created);

        routes.Ops.MapDelete("/keys/{name}", async (string name, KeyBook keys) => await keys.RemoveAsync(name).ConfigureAwait(false) ? Results.NoContent() : Problem.Of(CommonProblems.NotFound))
            .MaintainsInPerson("key.remove")
            .WithName("RemoveKey").WithSummary("Revokes an API key for the very next request.").WithTags("Operations").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> CreateAsync(NewKey body, HttpContext context, KeyBook keys, IDeviceDirectory directory, AccountSettings settings, TimeProvider clock, Texts texts)
    {
        if (Holder.Of(context)?.Account is not { } maker)
        {
            return Problem.Of(CommonProblems.SignInNeeded);
        }

        var faults = new AccountFaults(texts, context);
        faults.Name(body.Name);
        faults.RoleNames(body.Roles);
        faults.FieldNames(body.Fields, body.Roles, directory);
        if (body.Scopes is null or { Length: 0 } || body.Scopes.Any(s => !Scopes.All.Contains(s)))
        {
            faults.Add("/scopes", "operations.fault.scopes", ("scopes", string.Join(", ", Scopes.All)));
        }

        var now = clock.GetUtcNow();
        var expiresAt = body.ExpiresAt?.ToUniversalTime() ?? now + settings.KeyLife;
        if (expiresAt <= now || expiresAt > now + Longest)
        {
            faults.Add("/expiresAt", "operations.fault.expiry");
        }

        if (body.Roles is not null && body.Roles.Except(maker.Roles).Any())
        {
            faults.Add("/roles", "operations.fault.more-than-maker");
        }

        if (body.Fields is not null && !maker.Fields.Contains("*") && body.Fields.Except(maker.Fields).Any())
        {
            faults.Add("/fields", "operations.fault.more-than-maker");
        }

        if (faults.Problem is { } problem)
        {
            return problem;
        }

        var secret = await keys.CreateAsync(body.Name!, maker, [.. body.Roles!.Distinct()], [.. body.Fields!.Distinct()], [.. body.Scopes!.Distinct()], expiresAt).ConfigureAwait(false);
        context.Response.Headers.CacheControl = "no-store";
        return secret is null ? Problem.Of(CommonProblems.Conflict) : Results.Created($"/ops/v1/keys/{body.Name}", new KeyCreated(body.Name!, secret, expiresAt));
    }
}

internal sealed record NewKey(string? Name = null, string[]? Roles = null, string[]? Fields = null, string[]? Scopes = null, DateTimeOffset? ExpiresAt = null);

internal sealed record KeyCreated(string Name, string Key, DateTimeOffset ExpiresAt);

internal sealed record KeyView(string Name, IReadOnlyList<string> Roles, IReadOnlyList<string> Fields, IReadOnlyList<string> Scopes, string Maker, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    public static KeyView Of(ApiKey k, Account maker) => new(k.Name, k.Roles, k.Fields, k.Scopes, maker.Name, k.CreatedAt, k.ExpiresAt);
}
