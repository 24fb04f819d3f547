using System.Collections.Immutable;
using System.Text.Json;
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
internal sealed class FieldPlans(
    Databases databases, RevisionStore revisions, TemplateCatalog catalog, TemplateStore files, CalendarStore calendars, IFlowSwitches flows, IDeviceDirectory directory, IHistory history, TimeProvider time)
    : IResponseBindings
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
        await files.LoadAsync(cancellation).ConfigureAwait(false);
        var faults = new List<string>();
        var loaded = ImmutableDictionary.CreateBuilder<string, FieldTemplate>();
        foreach (var revision in await revisions.LastAsync(cancellation).ConfigureAwait(false))
        {
            if (TemplateOf(revision) is not { } template)
            {
                faults.Add($"Field '{revision.FieldId}' uses the template '{revision.TemplateId}', which is no longer in the template folder. Put its file back.");
                continue;
            }

            var values = TemplateValues.Check(template, revision.Parameters, out var wrong);
            faults.AddRange(wrong.Select(w => $"Field '{revision.FieldId}', template '{revision.TemplateId}': '{w.Key}' = '{w.Text}' is no longer allowed. Put back the template file that allowed it."));
            loaded[revision.FieldId] = new FieldTemplate(template, revision.Number, values);
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

    /// <summary>The template of a revision in the version it had; the newest where that was not kept. Null when it is gone.</summary>
    public Template? TemplateOf(Revision revision) => (revision.Version is { } version ? catalog.Find(revision.TemplateId, version) : null) ?? catalog.Find(revision.TemplateId);

    /// <summary>Puts a template with values in force: stored, recorded, and used from the next stretch on.</summary>
    public async Task<FieldTemplate> SetAsync(string fieldId, Template template, IReadOnlyDictionary<string, ParameterValue> values, RevisionStore.Change change)
    {
        var now = time.GetUtcNow();
        var texts = TemplateValues.Write(template, values);
        var number = await databases.State.WriteAsync(async transaction =>
        {
            await files.KeepAsync(template, change.By, transaction).ConfigureAwait(false);
            var next = await revisions.AddAsync(fieldId, template, texts, change, now, transaction).ConfigureAwait(false);
            history.Append(
                new HistoryRecord
                {
                    At = now,
                    Kind = HistoryKinds.Operator,
                    What = "template-" + change.How,
                    FieldId = fieldId,
                    Actor = change.By,
                    CorrelationId = change.CorrelationId,
                    Subject = template.Id,
                    Details = JsonSerializer.Serialize(new { templateId = template.Id, version = template.Version, revision = next, change.Reason, parameters = texts }, JsonSerializerOptions.Web),
                },
                transaction);
            return next;
        }).ConfigureAwait(false);

        // A file that was edited in place has the same version, and the stored text follows it.
        catalog.Add(template);
        var set = new FieldTemplate(template, number, values);
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

    /// <summary>The plan that a template with values would be in a field, as of now: zone, calendar and switches are those in force.</summary>
    public FieldPlan Proposed(string fieldId, FieldTemplate template) =>
        new(template, TimeZoneInfo.FindSystemTimeZoneById(directory.Field(fieldId)?.TimeZone ?? "UTC"), calendars.Of(fieldId)) { HidesContent = !flows.Of(fieldId).Sampling };

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
            : Proposed(fieldId, template);
    }
}
