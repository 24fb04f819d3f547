using Microsoft.AspNetCore.Http;
using Sekisho.Domain.Events;

namespace Sekisho.Api.Problems;

/// <summary>Problems that tell a device what to do about its authentication.</summary>
public static class DeviceProblems
{
    /// <summary>Token missing, unknown, foreign or revoked.</summary>
    public static readonly ProblemType TokenInvalid = new("token-invalid", StatusCodes.Status401Unauthorized);

    /// <summary>The token ran out: authenticate again.</summary>
    public static readonly ProblemType TokenExpired = new("token-expired", StatusCodes.Status401Unauthorized);

    /// <summary>The device may not authenticate now.</summary>
    public static readonly ProblemType AuthenticationSuspended = new("authentication-suspended", StatusCodes.Status403Forbidden);

    /// <summary>The binding waits for a decision.</summary>
    public static readonly ProblemType BindingPending = new("binding-pending", StatusCodes.Status403Forbidden);

    /// <summary>The problem that answers a refusal.</summary>
    /// <param name="refusalReason">One of <see cref="RefusalReasons"/>.</param>
    public static ProblemType For(string refusalReason) => refusalReason switch
    {
        RefusalReasons.ExpiredToken => TokenExpired,
        RefusalReasons.Suspended => AuthenticationSuspended,
        RefusalReasons.Pending => BindingPending,
        _ => TokenInvalid,
    };
}
