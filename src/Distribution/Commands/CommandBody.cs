using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Sekisho.Distribution.Commands;

/// <summary>Reads bodies of commands and of answers: bounded, JSON in UTF-8, no name twice (two readers might take different ones).</summary>
internal static class CommandBody
{
    /// <summary>Bytes of a command.</summary>
    public const int MostOfCommand = 16 * 1024;

    /// <summary>Bytes of an answer.</summary>
    public const int MostOfAnswer = 4 * 1024;

    private const int MostLevels = 16;

    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = MostLevels, CommentHandling = JsonCommentHandling.Disallow };

    /// <summary>The body; null when it is longer than <paramref name="most"/>.</summary>
    public static async Task<byte[]?> ReadAsync(HttpContext context, int most, CancellationToken cancellation)
    {
        if (context.Request.ContentLength > most)
        {
            return null;
        }

        var buffer = new byte[most + 1];
        var length = 0;
        while (length < buffer.Length && await context.Request.Body.ReadAsync(buffer.AsMemory(length), cancellation).ConfigureAwait(false) is var read and > 0)
        {
            length += read;
        }

        return length > most ? null : buffer[..length];
    }

    /// <summary>The object in a body; null when it is none.</summary>
    public static JsonElement? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object && IsText(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Half of a surrogate pair is JSON, and no text that could be kept.
    private static bool IsText(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                try
                {
                    return value.GetString() is not null;
                }
                catch (InvalidOperationException)
                {
                    return false;
                }

            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    try
                    {
                        if (member.Name is null || !IsText(member.Value))
                        {
                            return false;
                        }
                    }
                    catch (InvalidOperationException)
                    {
                        return false;
                    }
                }

                return true;
            case JsonValueKind.Array:
                foreach (var element in value.EnumerateArray())
                {
                    if (!IsText(element))
                    {
                        return false;
                    }
                }

                return true;
            default:
                return true;
        }
    }
}

/// <summary>A command as it is posted.</summary>
/// <param name="Name">What the device is to do.</param>
/// <param name="Arguments">A JSON object, or nothing.</param>
/// <param name="ValidSeconds">How long the device may fetch it.</param>
internal sealed record CommandRequest(string Name, JsonElement Arguments, int ValidSeconds)
{
    private const int Hour = 3600;
    private const int MostSeconds = 30 * 24 * Hour;
    private static readonly JsonElement None = JsonDocument.Parse("{}").RootElement.Clone();

    /// <summary>Reads a command; the faults are places and keys of texts distribution.fault.KEY.</summary>
    public static CommandRequest? Read(JsonElement body, List<(string Place, string Key)> faults)
    {
        string? name = null;
        var (arguments, seconds) = (None, Hour);
        foreach (var member in body.EnumerateObject())
        {
            var value = member.Value;
            switch (member.Name)
            {
                case "name":
                    name = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
                    break;
                case "arguments":
                    if (value.ValueKind != JsonValueKind.Object)
                    {
                        faults.Add(("/arguments", "command-arguments"));
                    }

                    arguments = value;
                    break;
                case "validSeconds":
                    if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out seconds) || seconds is < 1 or > MostSeconds)
                    {
                        faults.Add(("/validSeconds", "command-valid"));
                    }

                    break;
                default:
                    faults.Add(("/" + Mapping.Pointer.Escape(member.Name.Length > 64 ? member.Name[..64] : member.Name), "command-member"));
                    break;
            }
        }

        if (!CommandListCheck.IsName(name))
        {
            faults.Add(("/name", "command-name"));
        }

        return faults.Count > 0 ? null : new CommandRequest(name!, arguments, seconds);
    }

    /// <summary>The arguments without white space.</summary>
    public string ArgumentsText() => CompactJson.Of(Arguments);
}

/// <summary>An answer of a device.</summary>
/// <param name="Outcome">"done", "failed" or "refused".</param>
/// <param name="Detail">Any JSON of at most <see cref="MostDetail"/> characters; null for nothing.</param>
internal sealed record CommandAnswer(string Outcome, string? Detail)
{
    public const int MostDetail = 2048;

    public static readonly IReadOnlyList<string> Outcomes = [Domain.Devices.CommandStates.Done, Domain.Devices.CommandStates.Failed, Domain.Devices.CommandStates.Refused];

    public static CommandAnswer? Read(JsonElement body, List<(string Place, string Key)> faults)
    {
        string? outcome = null, detail = null;
        foreach (var member in body.EnumerateObject())
        {
            switch (member.Name)
            {
                case "outcome":
                    outcome = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : null;
                    break;
                case "detail":
                    detail = member.Value.ValueKind == JsonValueKind.Null ? null : CompactJson.Of(member.Value);
                    if (detail?.Length > MostDetail)
                    {
                        faults.Add(("/detail", "command-detail"));
                    }

                    break;
                default:
                    // A device of a later version may say more than this one understands.
                    break;
            }
        }

        if (outcome is null || !Outcomes.Contains(outcome))
        {
            faults.Add(("/outcome", "command-outcome"));
        }

        return faults.Count > 0 ? null : new CommandAnswer(outcome!, detail);
    }
}

/// <summary>Writes JSON without white space.</summary>
internal static class CompactJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(JsonElement value)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            value.WriteTo(json);
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
