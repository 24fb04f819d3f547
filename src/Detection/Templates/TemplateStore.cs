using System.Data.Common;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Detection.Templates;

/// <summary>The table template_file: imported templates, and every version that was ever in force. Any thread.</summary>
internal sealed class TemplateStore(Databases databases, TemplateCatalog catalog, TemplateReader reader, IHistory history, TimeProvider time)
{
    private const string Imported = "imported";
    private const string Shipped = "shipped";

    /// <summary>Takes what is stored into the catalog. A file that this version of the program cannot read is left out: whoever uses it is told at start.</summary>
    public async Task LoadAsync(CancellationToken cancellation)
    {
        var rows = await databases.State.ReadAsync(c => c.QueryAsync<string>("SELECT body FROM template_file"), cancellation).ConfigureAwait(false);
        foreach (var body in rows)
        {
            if (reader.Read("stored", body, []) is { } template)
            {
                catalog.Add(template);
            }
        }
    }

    /// <summary>Keeps a version that comes in force.</summary>
    public async Task KeepAsync(Template template, string actor, DbTransaction transaction) => await transaction.Connection!.ExecuteAsync(
        """
        INSERT INTO template_file (id, version, origin, body, signer, added_at, added_by) VALUES (@Id, @Version, @origin, @Source, NULL, @at, @actor)
        ON CONFLICT (id, version) DO UPDATE SET body = excluded.body
        """,
        new { template.Id, template.Version, origin = Shipped, template.Source, at = time.GetUtcNow().ToUnixTimeMilliseconds(), actor },
        transaction).ConfigureAwait(false);

    /// <summary>Adds an imported version.</summary>
    /// <returns>False when there is such a version already.</returns>
    public async Task<bool> ImportAsync(Template template, string? signer, string actor, string correlationId)
    {
        if (catalog.Find(template.Id, template.Version) is not null)
        {
            return false;
        }

        var now = time.GetUtcNow();
        var added = await databases.State.WriteAsync(async transaction =>
        {
            var rows = await transaction.Connection!.ExecuteAsync(
                """
                INSERT INTO template_file (id, version, origin, body, signer, added_at, added_by) VALUES (@Id, @Version, @origin, @Source, @signer, @at, @actor)
                ON CONFLICT (id, version) DO NOTHING
                """,
                new { template.Id, template.Version, origin = Imported, template.Source, signer, at = now.ToUnixTimeMilliseconds(), actor },
                transaction).ConfigureAwait(false);
            if (rows > 0)
            {
                history.Append(
                    new HistoryRecord
                    {
                        At = now,
                        Kind = HistoryKinds.Operator,
                        What = "template-imported",
                        Actor = actor,
                        CorrelationId = correlationId,
                        Subject = template.Id,
                        Details = System.Text.Json.JsonSerializer.Serialize(new { template.Id, template.Version, signer }, System.Text.Json.JsonSerializerOptions.Web),
                    },
                    transaction);
            }

            return rows > 0;
        }).ConfigureAwait(false);
        if (added)
        {
            catalog.Add(template);
        }

        return added;
    }
}
