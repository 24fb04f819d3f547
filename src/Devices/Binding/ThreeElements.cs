using System.Text.Json;

namespace Sekisho.Devices.Binding;

/// <summary>What a device authenticates with.</summary>
internal sealed record ThreeElements(string CommonAuthId, string AuthSecret, string UniqueId)
{
    /// <summary>Bytes of a request at most.</summary>
    public const int LargestBody = 4096;

    private const int LongestValue = 256;

    /// <summary>
    /// Reads {"commonAuthId","authSecret","uniqueId"}: one JSON object with exactly these strings, each once. Null when it is anything else.
    /// </summary>
    public static ThreeElements? Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 1 });
            string? commonAuthId = null, authSecret = null, uniqueId = null;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                ref var target = ref commonAuthId;
                if (reader.ValueTextEquals("authSecret"u8))
                {
                    target = ref authSecret;
                }
                else if (reader.ValueTextEquals("uniqueId"u8))
                {
                    target = ref uniqueId;
                }
                else if (!reader.ValueTextEquals("commonAuthId"u8))
                {
                    return null;
                }

                if (target is not null || !reader.Read() || reader.TokenType != JsonTokenType.String || reader.GetString() is not { Length: > 0 and <= LongestValue } value)
                {
                    return null;
                }

                target = value;
            }

            return reader.TokenType == JsonTokenType.EndObject && !reader.Read() && commonAuthId is not null && authSecret is not null && uniqueId is not null
                ? new ThreeElements(commonAuthId, authSecret, uniqueId)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: text that is no valid UTF-8 or UTF-16.
            return null;
        }
    }

    /// <summary>Says nothing of the values.</summary>
    public override string ToString() => nameof(ThreeElements);
}
