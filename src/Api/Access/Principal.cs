using System.Security.Claims;

namespace Sekisho.Api.Access;

/// <summary>Stable names of what an account or API key may be.</summary>
public static class Roles
{
    /// <summary>Runs the whole gateway (保守者): /ops routes, fields, accounts. Sees no field's data.</summary>
    public const string Maintainer = "maintainer";

    /// <summary>Administers the own fields (フィールドの管理者).</summary>
    public const string Administrator = "administrator";

    /// <summary>Handles detections and responses of the own fields, changes nothing else.</summary>
    public const string Responder = "responder";

    /// <summary>Reads the own fields, changes nothing.</summary>
    public const string Auditor = "auditor";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Maintainer, Administrator, Responder, Auditor];
}

/// <summary>Names of claims, and what they say about a signed-in person or an API key.</summary>
public static class Principal
{
    /// <summary>The authentication scheme of the management API (implemented by Operations).</summary>
    public const string Scheme = "Sekisho";

    /// <summary>Claim: account or key name.</summary>
    public const string Name = "name";

    /// <summary>Claim, repeated: a role.</summary>
    public const string Role = "role";

    /// <summary>Claim, repeated: a field the holder may see, or "*" for all.</summary>
    public const string Field = "field";

    /// <summary>Claim, repeated, only for API keys: a scope such as "devices:read". People have none and all.</summary>
    public const string Scope = "scope";

    /// <summary>Claim: "key" for an API key, "person" for a session.</summary>
    public const string HolderKind = "holder";

    /// <summary>Claim: present while the account must set a password of its own first.</summary>
    public const string MustSetPassword = "must-set-password";

    /// <summary>Name of the holder; "anonymous" when there is none.</summary>
    public static string NameOf(this ClaimsPrincipal user) => user.FindFirst(Name)?.Value ?? "anonymous";

    /// <summary>True when the holder may see the field.</summary>
    public static bool MaySee(this ClaimsPrincipal user, string fieldId) => user.HasClaim(Field, "*") || user.HasClaim(Field, fieldId);

    /// <summary>True when the holder has one of the roles.</summary>
    public static bool Is(this ClaimsPrincipal user, params ReadOnlySpan<string> roles)
    {
        foreach (var role in roles)
        {
            if (user.HasClaim(Role, role))
            {
                return true;
            }
        }

        return false;
    }
}
