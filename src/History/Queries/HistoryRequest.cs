using System.ComponentModel;
using Microsoft.AspNetCore.Mvc;

namespace Sekisho.History.Queries;

/// <summary>What a field's history is asked for, as it stands in the query string.</summary>
internal sealed record HistoryRequest(
    [property: FromQuery(Name = "device"), Description("Only this device.")] string? Device,
    [property: FromQuery(Name = "kind"), Description("Only these kinds (repeatable): data-in, data-out, authentication, refusal, device-state, detection, response, operator.")] string[]? Kind,
    [property: FromQuery(Name = "from"), Description("Not before this time (ISO 8601 with offset).")] string? From,
    [property: FromQuery(Name = "to"), Description("Before this time (ISO 8601 with offset).")] string? To,
    [property: FromQuery(Name = "correlation"), Description("Only what carries this correlation id (32 lower-case hex digits).")] string? Correlation,
    [property: FromQuery(Name = "after"), Description("'next' of the page before.")] string? After,
    [property: FromQuery(Name = "limit"), Description("Rows at most, 1 to 500; 50 when absent.")] string? Limit);

/// <summary>What the gateway's own history is asked for.</summary>
internal sealed record GatewayHistoryRequest(
    [property: FromQuery(Name = "kind"), Description("Only these kinds (repeatable).")] string[]? Kind,
    [property: FromQuery(Name = "from"), Description("Not before this time (ISO 8601 with offset).")] string? From,
    [property: FromQuery(Name = "to"), Description("Before this time (ISO 8601 with offset).")] string? To,
    [property: FromQuery(Name = "correlation"), Description("Only what carries this correlation id (32 lower-case hex digits).")] string? Correlation,
    [property: FromQuery(Name = "after"), Description("'next' of the page before.")] string? After,
    [property: FromQuery(Name = "limit"), Description("Rows at most, 1 to 500; 50 when absent.")] string? Limit);

/// <summary>Which messages of a field are asked for.</summary>
internal sealed record MessagesRequest(
    [property: FromQuery(Name = "device"), Description("Only this device.")] string? Device,
    [property: FromQuery(Name = "from"), Description("Arrived not before this time (ISO 8601 with offset).")] string? From,
    [property: FromQuery(Name = "to"), Description("Arrived before this time (ISO 8601 with offset).")] string? To,
    [property: FromQuery(Name = "after"), Description("'next' of the page before.")] string? After,
    [property: FromQuery(Name = "limit"), Description("Messages at most, 1 to 500; 50 when absent.")] string? Limit);
