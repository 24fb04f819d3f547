using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Response.Incidents;

/// <summary>
/// Deletes incidents that were closed long ago, with their timelines and links. One that is not closed, whose label is still to be handed on, or one of whose devices is still held by a response, stays.
/// In portions, so that others get their turn in between; what was begun is recorded, so a gateway that was killed goes on. Any thread.
/// </summary>
internal sealed class IncidentRetention(Databases databases, IHistory history, IncidentSettings settings, TimeProvider clock)
{
    private const int MostAtOnce = 100;
    private const int Portion = 500;

    private const string Removable =
        "SELECT id AS Id, field_id AS FieldId, closed_as AS ClosedAs, closed_at AS ClosedAt FROM incident i WHERE state = 'closed' AND closed_at < @before AND label = '' AND NOT EXISTS " +
        "(SELECT 1 FROM incident_finding f JOIN lease l ON l.device_id = f.device_id WHERE f.incident_id = i.id AND l.state = 'done' AND l.holds = 1)";

    /// <summary>Deletes what is due.</summary>
    /// <returns>Number of incidents.</returns>
    public async Task<int> TidyAsync(CancellationToken cancellation)
    {
        var removed = 0;
        for (var more = true; more;)
        {
            var begun = await databases.State.WriteAsync(t => Task.FromResult(Begin(t)), cancellation);
            removed += begun;
            more = begun == MostAtOnce;
            await FinishAsync(cancellation);
        }

        return removed;
    }

    /// <summary>Deletes some incidents themselves; from here on nobody sees them, and no finding joins them.</summary>
    internal int Begin(DbTransaction transaction)
    {
        var due = transaction.Connection!.Query<Due>(
            $"{Removable} ORDER BY closed_at LIMIT {MostAtOnce}", new { before = (clock.GetUtcNow() - settings.KeepClosed).ToUnixTimeMilliseconds() }, transaction).AsList();
        foreach (var incident in due)
        {
            transaction.Connection!.Execute("INSERT INTO incident_removal (incident_id) VALUES (@Id)", incident, transaction);
            transaction.Connection!.Execute("DELETE FROM incident_key WHERE incident_id = @Id", incident, transaction);
            transaction.Connection!.Execute("DELETE FROM incident WHERE id = @Id", incident, transaction);
            history.Append(
                new HistoryRecord
                {
                    At = clock.GetUtcNow(),
                    Kind = HistoryKinds.Response,
                    What = Incident.InHistory,
                    FieldId = incident.FieldId.Length == 0 ? null : incident.FieldId,
                    Actor = IncidentMachine.Gateway,
                    CorrelationId = "",
                    Subject = incident.Id,
                    Details = JsonSerializer.Serialize(new { state = "deleted", change = "deleted", closedAs = incident.ClosedAs, at = DateTimeOffset.FromUnixTimeMilliseconds(incident.ClosedAt) }),
                },
                transaction);
        }

        return due.Count;
    }

    /// <summary>Deletes lines and links of incidents that are gone.</summary>
    private async Task FinishAsync(CancellationToken cancellation)
    {
        foreach (var id in await databases.State.ReadAsync(async c => (await c.QueryAsync<string>("SELECT incident_id FROM incident_removal")).AsList(), cancellation))
        {
            await DrainAsync("DELETE FROM incident_finding WHERE finding_id IN (SELECT finding_id FROM incident_finding WHERE incident_id = @id LIMIT @most)", id, cancellation);
            await DrainAsync("DELETE FROM incident_entry WHERE incident_id = @id AND seq IN (SELECT seq FROM incident_entry WHERE incident_id = @id ORDER BY seq LIMIT @most)", id, cancellation);
            await databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("DELETE FROM incident_removal WHERE incident_id = @id", new { id }, t), cancellation);
        }
    }

    private async Task DrainAsync(string deletion, string id, CancellationToken cancellation)
    {
        while (await databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(deletion, new { id, most = Portion }, t), cancellation) == Portion)
        {
            // The next portion.
        }
    }

    private sealed class Due
    {
        public string Id { get; init; } = "";

        public string FieldId { get; init; } = "";

        public string? ClosedAs { get; init; }

        public long ClosedAt { get; init; }
    }
}
