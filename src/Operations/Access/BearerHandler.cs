using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sekisho.Api.Access;
using Sekisho.Operations.Keys;
using Sekisho.Operations.SignIn;

namespace Sekisho.Operations.Access;

/// <summary>Tells from "Authorization: Bearer …" who asks: a session of a person, or an API key. Memory only.</summary>
internal sealed class BearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, SessionBook sessions, KeyBook keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private const string Bearer = "Bearer ";
    private const int TokenLength = 3 + 43; // prefix and 32 bytes in base64url

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || !value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var token = value[Bearer.Length..].Trim();
        return Task.FromResult(
            token.Length != TokenLength ? AuthenticateResult.NoResult()
            : token.StartsWith(SessionBook.Prefix, StringComparison.Ordinal) ? Person(token)
            : token.StartsWith(KeyBook.Prefix, StringComparison.Ordinal) ? Key(token)
            : AuthenticateResult.NoResult());
    }

    private AuthenticateResult Person(string token)
    {
        if (sessions.Use(token) is not { } found)
        {
            return AuthenticateResult.Fail("The session has ended.");
        }

        Context.Features.Set(new Holder(found.Account, found.Session));
        var identity = Identity("person", found.Account.Name, found.Account.Roles, found.Account.Fields);
        if (found.Account.MustSetPassword)
        {
            identity.AddClaim(new Claim(Principal.MustSetPassword, "true"));
        }

        return Success(identity);
    }

    private AuthenticateResult Key(string token)
    {
        if (keys.Use(token) is not { } key)
        {
            return AuthenticateResult.Fail("There is no such key, or it has run out.");
        }

        // Account names hold no colon, so that a key is never taken for a person in the records.
        var identity = Identity("key", "key:" + key.Name, key.Roles, key.Fields);
        identity.AddClaims(key.Scopes.Select(s => new Claim(Principal.Scope, s)));
        return Success(identity);
    }

    private static ClaimsIdentity Identity(string kind, string name, IEnumerable<string> roles, IEnumerable<string> fields) => new(
        [
            new Claim(Principal.Name, name),
            new Claim(Principal.HolderKind, kind),
            .. roles.Select(r => new Claim(Principal.Role, r)),
            .. fields.Select(f => new Claim(Principal.Field, f)),
        ],
        Principal.Scheme,
        Principal.Name,
        Principal.Role);

    private static AuthenticateResult Success(ClaimsIdentity identity) =>
        AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Principal.Scheme));
}
