using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;

namespace Sekisho.Distribution.Commands;

/// <summary>Problems of commands.</summary>
internal static class CommandProblems
{
    /// <summary>The body is no JSON object, or has a name twice.</summary>
    public static readonly ProblemType Malformed = new("command-malformed", StatusCodes.Status400BadRequest);

    /// <summary>The body is too large.</summary>
    public static readonly ProblemType TooLarge = new("command-too-large", StatusCodes.Status413PayloadTooLarge);

    /// <summary>It is in a state in which this cannot be done.</summary>
    public static readonly ProblemType WrongState = new("command-state", StatusCodes.Status409Conflict);

    /// <summary>The same account sent it.</summary>
    public static readonly ProblemType SamePerson = new("command-same-person", StatusCodes.Status409Conflict);

    /// <summary>The idempotency key was used for another command.</summary>
    public static readonly ProblemType KeyUsed = new("command-key-used", StatusCodes.Status409Conflict);

    /// <summary>The device is out of service for good.</summary>
    public static readonly ProblemType DeviceRetired = new("command-device-retired", StatusCodes.Status409Conflict);
}
