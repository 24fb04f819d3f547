using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Domain.History;

namespace Sekisho.Devices;

/// <summary>On whose behalf something is done, and what it is part of.</summary>
/// <param name="Actor">Account or key name, "response:LEASE", or "gateway".</param>
/// <param name="CorrelationId">Correlation id of the cause.</param>
internal readonly record struct Caller(string Actor, string CorrelationId)
{
    public static Caller Of(HttpContext context) => new(context.User.NameOf(), Correlation.Of(context));

    public static Caller Gateway(string correlationId) => new("gateway", correlationId);

    /// <summary>A line of the history in this caller's name.</summary>
    public HistoryRecord Record(string kind, string what, DateTimeOffset at, string? fieldId, string? deviceId, object? details = null) => new()
    {
        At = at,
        Kind = kind,
        What = what,
        FieldId = fieldId,
        DeviceId = deviceId,
        Actor = Actor,
        CorrelationId = CorrelationId,
        Details = details is null ? null : JsonSerializer.Serialize(details, JsonSerializerOptions.Web),
    };
}
