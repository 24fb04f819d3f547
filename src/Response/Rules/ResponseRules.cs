using System.Collections.Concurrent;
using System.Data.Common;
using Sekisho.Domain.Detection;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Rules;

/// <summary>
/// The rules in force: a field's own where it has made some, else those of its template. Read once for each field, then from memory. Own rules that cannot be read are not guessed:
/// those of the template hold, and whatever takes something from a device waits for a person. Any thread.
/// </summary>
internal sealed class ResponseRules(IResponseBindings bindings, RuleStore store, LeaseOrders orders)
{
    private readonly ConcurrentDictionary<string, RuleRevision?> _own = new(StringComparer.Ordinal);

    /// <summary>The rules of a field; for null the gateway's own.</summary>
    public IReadOnlyList<ResponseBinding> For(string? fieldId, DbConnection connection, DbTransaction? transaction) =>
        fieldId is null ? bindings.For(null)
        : Own(fieldId, connection, transaction) is { IsReadable: false } ? [.. bindings.For(fieldId).Select(Cautious)]
        : Own(fieldId, connection, transaction)?.Rules ?? bindings.For(fieldId);

    /// <summary>Whether the field has own rules that cannot be read; asked after <see cref="For"/>.</summary>
    public bool IsUnreadable(string? fieldId) => fieldId is not null && _own.GetValueOrDefault(fieldId) is { IsReadable: false };

    /// <summary>The newest revision of a field's own rules; null before the first.</summary>
    public RuleRevision? Own(string fieldId, DbConnection connection, DbTransaction? transaction) =>
        _own.GetOrAdd(fieldId, id => store.Newest(id, connection, transaction));

    /// <summary>The rules of the field's template.</summary>
    public IReadOnlyList<ResponseBinding> OfTemplate(string fieldId) => bindings.For(fieldId);

    /// <summary>A revision was committed.</summary>
    public void Changed(string fieldId, RuleRevision revision) =>
        _own.AddOrUpdate(fieldId, revision, (_, before) => before is null || before.Revision < revision.Revision ? revision : before);

    private ResponseBinding Cautious(ResponseBinding rule) =>
        orders.Disturbing.Contains(rule.Action) ? rule with { Approval = Approvals.Stricter(rule.Approval, Approvals.OnePerson) } : rule;
}
