using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Api.Settings;
using Sekisho.Detection.Conditions;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;
using Sekisho.Storage;

namespace Sekisho.Detection.Templates;

/// <summary>
/// Which template with which values is in force in each field (table field_template), and the plans made of that. A change is stored, then
/// replaces the book; the lanes take the book that is current between two stretches. Any thread.
/// </summary>
internal sealed class FieldPlans(Databases databases, TemplateCatalog catalog, CalendarStore calendars, IFlowSwitches flows, IDeviceDirectory directory, IHistory history, TimeProvider time) : IResponseBindings
{
    private readonly Lock _turn = new(); // guards changes of _inForce and _book
    private readonly FieldPlan _gateway = new(new FieldTemplate(catalog.Gateway, 1, FieldTemplate.NoValues), TimeZoneInfo.Utc);
    private volatile ImmutableDictionary<string, FieldTemplate> _inForce = ImmutableDictionary<string, FieldTemplate>.Empty;
    private volatile PlanBook? _book;

    /// <summary>Reads what is in force.</summary>
    /// <exception cref="SettingsException">A template in use is gone, or its values are no longer allowed.</exception>
    public async Task LoadAsync(CancellationToken cancellation)
    {
        await calendars.LoadAsync(cancellation).ConfigureAwait(false);
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string FieldId, long Revision, string TemplateId, string Parameters)>(
                """
                SELECT field_id, revision, template_id, parameters FROM field_template AS t
                WHERE revision = (SELECT MAX(revision) FROM field_template WHERE field_id = t.field_id)
                """),
            cancellation).ConfigureAwait(false);
        var faults = new List<string>();
        var loaded = ImmutableDictionary.CreateBuilder<string, FieldTemplate>();
        foreach (var (fieldId, revision, templateId, parameters) in rows)
        {
            if (catalog.Find(templateId) is not { } template)
            {
                faults.Add($"Field '{fieldId}' uses the template '{templateId}', which is no longer in the template folder. Put its file back.");
                continue;
            }

            var values = TemplateValues.Check(template, JsonSerializer.Deserialize<Dictionary<string, string>>(parameters)!, out var wrong);
            faults.AddRange(wrong.Select(w => $"Field '{fieldId}', template '{templateId}': '{w.Key}' = '{w.Text}' is no longer allowed. Put back the template file that allowed it."));
            loaded[fieldId] = new FieldTemplate(template, (int)revision, values);
        }

        if (faults.Count > 0)
        {
            throw new SettingsException(faults);
        }

        lock (_turn)
        {
            _inForce = loaded.ToImmutable();
            _book = null;
        }
    }

    /// <summary>The field's template; null when it has none.</summary>
    public FieldTemplate? Find(string fieldId) => _inForce.GetValueOrDefault(fieldId);

    /// <summary>Puts a template with values in force: stored, recorded, and used from the next stretch on.</summary>
    public async Task<FieldTemplate> SetAsync(string fieldId, Template template, IReadOnlyDictionary<string, ParameterValue> values, string actor, string correlationId)
    {
        var now = time.GetUtcNow();
        var texts = TemplateValues.Write(template, values);
        var revision = await databases.State.WriteAsync(async transaction =>
        {
            var next = await InsertAsync(fieldId, template.Id, JsonSerializer.Serialize(texts), now, transaction).ConfigureAwait(false);
            history.Append(
                new HistoryRecord
                {
                    At = now,
                    Kind = HistoryKinds.Operator,
                    What = "template-set",
                    FieldId = fieldId,
                    Actor = actor,
                    CorrelationId = correlationId,
                    Subject = template.Id,
                    Details = JsonSerializer.Serialize(new { templateId = template.Id, version = template.Version, revision = next, parameters = texts }, JsonSerializerOptions.Web),
                },
                transaction);
            return next;
        }).ConfigureAwait(false);
        var set = new FieldTemplate(template, (int)revision, values);
        lock (_turn)
        {
            if (_inForce.GetValueOrDefault(fieldId) is not { } present || present.Revision < set.Revision)
            {
                _inForce = _inForce.SetItem(fieldId, set);
                _book = null;
            }
        }

        return set;
    }

    /// <summary>The plans in force; the same object until a template, its values or a field's zone changes.</summary>
    public PlanBook Current()
    {
        var book = _book;
        if (book is not null && IsCurrent(book))
        {
            return book;
        }

        lock (_turn)
        {
            var before = _book;
            return _book = new PlanBook(_gateway, _inForce.ToDictionary(p => p.Key, p => Plan(p.Key, p.Value, before)));
        }
    }

    public IReadOnlyList<ResponseBinding> For(string? fieldId) => fieldId is null ? catalog.Gateway.Responses : Find(fieldId)?.Template.Responses ?? [];

    private static async Task<long> InsertAsync(string fieldId, string templateId, string parameters, DateTimeOffset at, DbTransaction transaction) =>
        await transaction.Connection!.QuerySingleAsync<long>(
            """
            INSERT INTO field_template (field_id, revision, template_id, parameters, changed_at)
            SELECT @fieldId, COALESCE(MAX(revision), 0) + 1, @templateId, @parameters, @at FROM field_template WHERE field_id = @fieldId
            RETURNING revision
            """,
            new { fieldId, templateId, parameters, at = at.ToUnixTimeMilliseconds() },
            transaction).ConfigureAwait(false);

    private bool IsCurrent(PlanBook book)
    {
        foreach (var fieldId in book.Fields)
        {
            if (directory.Field(fieldId) is { } field && !IsCurrent(book.For(fieldId), fieldId, field.TimeZone))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsCurrent(FieldPlan plan, string fieldId, string zoneId) =>
        plan.ZoneId == zoneId && ReferenceEquals(plan.Calendar, calendars.Of(fieldId)) && plan.HidesContent == !flows.Of(fieldId).Sampling;

    private FieldPlan Plan(string fieldId, FieldTemplate template, PlanBook? before)
    {
        var zoneId = directory.Field(fieldId)?.TimeZone ?? "UTC";
        return before?.For(fieldId) is { } present && ReferenceEquals(present.Template, template) && IsCurrent(present, fieldId, zoneId)
            ? present
            : new FieldPlan(template, TimeZoneInfo.FindSystemTimeZoneById(zoneId), calendars.Of(fieldId)) { HidesContent = !flows.Of(fieldId).Sampling };
    }
}
