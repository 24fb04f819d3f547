using System.Globalization;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Queue;

/// <summary>Reads the query of a list of responses.</summary>
internal static class LeaseQuery
{
    /// <summary>The filter, or every fault of the query.</summary>
    public static (LeaseFilter? Filter, IReadOnlyList<Fault> Faults) Read(string? fieldId, IQueryCollection query, Texts texts, string language)
    {
        var faults = new List<Fault>();
        string? Value(string name) => query[name].FirstOrDefault(v => !string.IsNullOrEmpty(v));
        T? Parsed<T>(string name, Func<string, T?> parse, string fault, string allowed = "")
        {
            if (Value(name) is not { } text)
            {
                return default;
            }

            var value = parse(text);
            if (value is null)
            {
                faults.Add(new Fault(name, texts.Get(fault, language, ("allowed", allowed))));
            }

            return value;
        }

        var state = Parsed("state", s => LeaseStates.All.Contains(s) ? s : null, "response.fault.one-of", string.Join(", ", LeaseStates.All));
        var device = Parsed("device", s => s.Length <= 64 && s.All(char.IsAsciiLetterOrDigit) ? s : null, "response.fault.device");
        var from = Parsed("from", QueryTime.Read, "response.fault.time");
        var to = Parsed("to", QueryTime.Read, "response.fault.time");
        var after = Parsed("after", LeaseCursor.Parse, "response.fault.after");
        var limit = Parsed("limit", s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : (int?)null, "response.fault.limit");
        return faults.Count > 0
            ? (null, faults)
            : (new LeaseFilter(fieldId, state, device, from, to, after, Paging.Limit(limit)), []);
    }
}
