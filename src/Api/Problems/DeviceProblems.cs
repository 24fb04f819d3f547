using Microsoft.AspNetCore.Http;
using Sekisho.Domain.Events;

namespace Sekisho.Api.Problems;

/// <summary>Problems that devices are refused with, shared by the routes that devices use.</summary>
public static class DeviceProblems
{
    /// <summary>Token missing, unknown, foreign or revoked.</summary>
    public static readonly ProblemType TokenInvalid = new("token-invalid", StatusCodes.Status401Unauthorized);

    /// <summary>Token ran out: the device authenticates again with its three elements.</summary>
    public static readonly ProblemType TokenExpired = new("token-expired", StatusCodes.Status401Unauthorized);

    /// <summary>The device is suspended, abnormal, stray or retired.</summary>
    public static readonly ProblemType AuthenticationSuspended = new("authentication-suspended", StatusCodes.Status403Forbidden);

    /// <summary>Another sender is alive on the identity; this one waits for a decision.</summary>
    public static readonly ProblemType BindingPending = new("binding-pending", StatusCodes.Status403Forbidden);

    /// <summary>The problem to answer a refusal with.</summary>
    /// <param name="refusalReason">One of <see cref="RefusalReasons"/> except those of the token route (unregistered, wrong secret).</param>
    /// <exception cref="ArgumentException">No such reason.</exception>
    public static ProblemType For(string refusalReason) => refusalReason switch
    {
        RefusalReasons.BadToken => TokenInvalid,
        RefusalReasons.ExpiredToken => TokenExpired,
        RefusalReasons.Suspended => AuthenticationSuspended,
        RefusalReasons.Pending => BindingPending,
        RefusalReasons.Malformed => CommonProblems.BadRequest,
        RefusalReasons.TooLarge => CommonProblems.BodyTooLarge,
        RefusalReasons.RateLimited => CommonProblems.TooMany,
        _ => throw new ArgumentException($"'{refusalReason}' is no reason to refuse a device's data.", nameof(refusalReason)),
    };
}
