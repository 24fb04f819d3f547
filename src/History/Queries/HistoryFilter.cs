using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api;
using Sekisho.Api.Problems;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;

namespace Sekisho.History.Queries;

/// <summary>A checked search.</summary>
internal sealed record HistoryFilter
{
    /// <summary>The field; null for the gateway's own records.</summary>
    public required string? FieldId { get; init; }

    /// <summary>Only this device; null for all.</summary>
    public string? Device { get; init; }

    /// <summary>Only these kinds; empty for all.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = [];

    /// <summary>Not before this; null for all.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Before this; null for all.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Only this correlation id; null for all.</summary>
    public string? Correlation { get; init; }

    /// <summary>Only what comes after this place.</summary>
    public HistoryKey After { get; init; } = HistoryKey.Newest;

    /// <summary>Rows at most.</summary>
    public int Limit { get; init; } = Paging.Default;

    /// <summary>From as stored.</summary>
    public long Start => From?.ToUnixTimeMilliseconds() ?? long.MinValue;

    /// <summary>Where the page begins: after the cursor and before the end of the time range.</summary>
    public HistoryKey Begin => After.NotFrom(To);
}

/// <summary>Turns query strings into a search and collects every fault, in the language of the request. One request.</summary>
internal sealed class FilterReader(HttpContext context)
{
    private const int MostText = 128;
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");
    private readonly List<Fault> _faults = [];
    private readonly Texts _texts = context.RequestServices.GetRequiredService<Texts>();
    private readonly string _language = RequestLanguage.Of(context);

    /// <summary>What was wrong.</summary>
    public IReadOnlyList<Fault> Faults => _faults;

    /// <summary>Reads a search.</summary>
    public HistoryFilter Read(string? fieldId, string? device, string[]? kinds, string? from, string? to, string? correlation, string? after, string? limit)
    {
        var start = Time("from", from);
        var end = Time("to", to);
        if (start > end)
        {
            Fault("from", "range");
        }

        return new HistoryFilter
        {
            FieldId = fieldId,
            Device = Text("device", device),
            Kinds = Kinds(kinds),
            From = start,
            To = end,
            Correlation = Correlation(correlation),
            After = After(after),
            Limit = Limit(limit),
        };
    }

    private string? Text(string place, string? text)
    {
        // Identifiers are short and printable; a NUL is refused by PostgreSQL itself.
        if (text is not null && (text.Length is 0 or > MostText || text.Any(char.IsControl)))
        {
            Fault(place, "text", ("most", MostText.ToString(CultureInfo.InvariantCulture)));
            return null;
        }

        return text;
    }

    private string[] Kinds(string[]? kinds)
    {
        if (kinds is not null && kinds.Any(k => !HistoryKinds.All.Contains(k)))
        {
            Fault("kind", "kind", ("kinds", string.Join(", ", HistoryKinds.All)));
        }

        return kinds?.Distinct().ToArray() ?? [];
    }

    private string? Correlation(string? text)
    {
        if (text is not null && (text.Length != 32 || text.AsSpan().ContainsAnyExcept(Hex)))
        {
            Fault("correlation", "correlation");
            return null;
        }

        return text;
    }

    private DateTimeOffset? Time(string place, string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (QueryTime.Read(text) is { } time)
        {
            return time;
        }

        Fault(place, "time");
        return null;
    }

    private HistoryKey After(string? text)
    {
        if (text is null)
        {
            return HistoryKey.Newest;
        }

        if (HistoryKey.TryParse(text, out var key))
        {
            return key;
        }

        Fault("after", "after");
        return HistoryKey.Newest;
    }

    private int Limit(string? text)
    {
        if (text is null)
        {
            return Paging.Default;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= Paging.Most)
        {
            return limit;
        }

        Fault("limit", "limit", ("most", Paging.Most.ToString(CultureInfo.InvariantCulture)));
        return Paging.Default;
    }

    private void Fault(string place, string key, params ReadOnlySpan<(string, string)> values) =>
        _faults.Add(new Fault(place, _texts.Get("history.fault." + key, _language, values)));
}
