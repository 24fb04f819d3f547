using Sekisho.Api.Problems;

namespace Sekisho.Distribution.Connectors.Https;

/// <summary>Why a body was not taken, and where. Nothing of the body's content.</summary>
/// <param name="Type">The problem.</param>
/// <param name="Code">Stable name of the fault; its text is fault.CODE.</param>
/// <param name="Message">Index of the message in the request, from 0.</param>
/// <param name="Offset">Byte of the body, from 0.</param>
/// <param name="Pointer">JSON pointer within the request, when the body was readable up to there; for the sender's eyes only.</param>
internal sealed record MessageFault(ProblemType Type, string Code, int Message, long Offset, string? Pointer = null)
{
    /// <summary>Syntax: no JSON, no UTF-8, too deep.</summary>
    public static readonly ProblemType Malformed = new("message-malformed", 400);

    /// <summary>JSON, but not of the shape or clarity that a message needs.</summary>
    public static readonly ProblemType Unacceptable = new("message-unacceptable", 422);

    /// <summary>A message, the body or the number of messages is over the limit.</summary>
    public static readonly ProblemType TooLarge = new("message-too-large", 413);

    /// <summary>Another content type than JSON in UTF-8.</summary>
    public static readonly ProblemType MediaType = new("media-type", 415);

    /// <summary>The body came too slowly.</summary>
    public static readonly ProblemType TooSlow = new("body-too-slow", 408);
}
