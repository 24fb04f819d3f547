using System.Data.Common;
using Dapper;
using Sekisho.Domain.Detection;

namespace Sekisho.Response.Incidents;

/// <summary>Which incident a key belongs to.</summary>
internal readonly record struct KeyHolder(string IncidentId, long LastAt);

/// <summary>A finding of an incident.</summary>
internal sealed record LinkedFinding(string FindingId, string IncidentId, string ConditionKey, string Level);

/// <summary>The tables incident_finding and incident_key: which finding belongs to which incident, and by what the next one is recognised. Any thread.</summary>
internal static class IncidentLinks
{
    // Rows and values in one statement. A database file looks each parameter up by its name among all of them, so that few large statements are slower than some smaller ones.
    private const int Rows = 20;
    private const int Portion = 100;

    /// <summary>Those of the findings that belong to an incident already.</summary>
    public static IReadOnlySet<string> Known(IReadOnlyList<string> findingIds, DbTransaction transaction) =>
        Portions(findingIds, (names, values) => transaction.Connection!.Query<string>($"SELECT finding_id FROM incident_finding WHERE finding_id IN ({names})", values, transaction)).ToHashSet(StringComparer.Ordinal);

    /// <summary>Which incidents keys belong to.</summary>
    public static Dictionary<string, KeyHolder> Held(IReadOnlyList<string> values, DbTransaction transaction) =>
        Portions(values, (names, list) => transaction.Connection!.Query<(string Key, string Incident, long At)>($"SELECT key, incident_id, last_at FROM incident_key WHERE key IN ({names})", list, transaction))
            .ToDictionary(r => r.Key, r => new KeyHolder(r.Incident, r.At), StringComparer.Ordinal);

    /// <summary>Notes which findings belong to which incident.</summary>
    public static void Link(IEnumerable<(string Incident, Finding Finding)> links, DbTransaction transaction)
    {
        foreach (var portion in links.Chunk(Rows))
        {
            var values = new DynamicParameters();
            var rows = portion.Select((link, i) =>
            {
                values.Add($"f{i}", link.Finding.Id);
                values.Add($"i{i}", link.Incident);
                values.Add($"d{i}", link.Finding.DeviceId);
                values.Add($"c{i}", link.Finding.ConditionKey);
                values.Add($"l{i}", link.Finding.Level);
                values.Add($"r{i}", link.Finding.RaisedAt.ToUnixTimeMilliseconds());
                return $"(@f{i}, @i{i}, @d{i}, @c{i}, @l{i}, @r{i}, 0, '')";
            });
            transaction.Connection!.Execute(
                $"INSERT INTO incident_finding (finding_id, incident_id, device_id, condition_key, level, raised_at, retracted, label) VALUES {string.Join(", ", rows.ToList())} ON CONFLICT (finding_id) DO NOTHING",
                values,
                transaction);
        }
    }

    /// <summary>Notes which incident keys belong to from now on.</summary>
    public static void Hold(IEnumerable<(string Key, KeyHolder Holder)> held, DbTransaction transaction)
    {
        foreach (var portion in held.Chunk(Rows))
        {
            var values = new DynamicParameters();
            var rows = portion.Select((one, i) =>
            {
                values.Add($"k{i}", one.Key);
                values.Add($"i{i}", one.Holder.IncidentId);
                values.Add($"t{i}", one.Holder.LastAt);
                return $"(@k{i}, @i{i}, @t{i})";
            });
            transaction.Connection!.Execute(
                $"INSERT INTO incident_key (key, incident_id, last_at) VALUES {string.Join(", ", rows.ToList())} ON CONFLICT (key) DO UPDATE SET incident_id = excluded.incident_id, last_at = excluded.last_at",
                values,
                transaction);
        }
    }

    /// <summary>Notes that findings were taken back.</summary>
    /// <returns>Those for which that is new.</returns>
    public static IReadOnlyList<LinkedFinding> Retract(IReadOnlyList<string> findingIds, DbTransaction transaction) => Portions(findingIds, (names, values) => transaction.Connection!.Query<LinkedFinding>(
        $"UPDATE incident_finding SET retracted = 1 WHERE retracted = 0 AND finding_id IN ({names}) RETURNING finding_id AS FindingId, incident_id AS IncidentId, condition_key AS ConditionKey, level AS Level",
        values,
        transaction));

    /// <summary>Notes what people said of findings.</summary>
    /// <returns>The incidents concerned, in order.</returns>
    public static IReadOnlyList<string> SetLabels(IReadOnlyList<string> findingIds, string label, DbTransaction transaction) => [.. Portions(findingIds, (names, values) =>
    {
        values.Add("label", label);
        return transaction.Connection!.Query<string>($"UPDATE incident_finding SET label = @label WHERE finding_id IN ({names}) RETURNING incident_id", values, transaction);
    }).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>What its findings are said to be, each once; those that were taken back count only when somebody closed them.</summary>
    public static IReadOnlyList<string> Labels(string incidentId, DbTransaction transaction) => transaction.Connection!.Query<string>(
        "SELECT DISTINCT label FROM incident_finding WHERE incident_id = @incidentId AND NOT (retracted = 1 AND label IN ('', 'acknowledged', 'reopened'))", new { incidentId }, transaction).AsList();

    /// <summary>Asks for values in portions. The two databases take lists of parameters in different ways, so each value is a parameter of its own.</summary>
    public static List<TRow> Portions<TRow>(IReadOnlyList<string> values, Func<string, DynamicParameters, IEnumerable<TRow>> ask)
    {
        var rows = new List<TRow>();
        foreach (var portion in values.Chunk(Portion))
        {
            var list = new DynamicParameters();
            var names = string.Join(", ", portion.Select((value, i) =>
            {
                list.Add($"v{i}", value);
                return $"@v{i}";
            }).ToList());
            rows.AddRange(ask(names, list));
        }

        return rows;
    }
}
