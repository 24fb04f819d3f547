using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Operations.Accounts;

/// <summary>Collects the faults of one request in its language, all at once. One request at a time.</summary>
internal sealed partial class AccountFaults(Texts texts, HttpContext context)
{
    private readonly string _language = RequestLanguage.Of(context);
    private readonly List<Fault> _found = [];

    /// <summary>What was found; null when nothing was.</summary>
    public Problem? Problem => _found.Count == 0 ? null : Api.Problems.Problem.Of(CommonProblems.Invalid, _found);

    public void Add(string place, string key, params ReadOnlySpan<(string Name, string Value)> values) =>
        _found.Add(new Fault(place, texts.Get(key, _language, values)));

    /// <summary>A name that people sign in with, or that a key is known by.</summary>
    public void Name(string? name)
    {
        // These two stand for nobody and for the program itself wherever an actor is shown.
        if (name is null || !NamePattern().IsMatch(name) || Account.KeyOf(name) is "anonymous" or "gateway")
        {
            Add("/name", "operations.fault.name");
        }
    }

    public void Password(string? password, string name, string place)
    {
        if (Passwords.Fault(password, name) is { } key)
        {
            Add(place, key);
        }
    }

    public void Language(string? language)
    {
        if (language is null || !Texts.Languages.Contains(language))
        {
            Add("/language", "operations.fault.language");
        }
    }

    public void RoleNames(IReadOnlyList<string?>? roles)
    {
        if (roles is null or { Count: 0 } || roles.Any(r => r is null || !Roles.All.Contains(r)))
        {
            Add("/roles", "operations.fault.roles", ("roles", string.Join(", ", Roles.All)));
        }
    }

    /// <summary>Fields must exist, or be "*" alone; roles other than maintainer need at least one.</summary>
    public void FieldNames(IReadOnlyList<string?>? fields, IReadOnlyList<string?>? roles, IDeviceDirectory directory)
    {
        if (fields is null)
        {
            Add("/fields", "operations.fault.fields-missing");
            return;
        }

        for (var i = 0; i < fields.Count; i++)
        {
            if (fields[i] is not { } field || (field == "*" ? fields.Count > 1 : directory.Field(field) is null))
            {
                Add($"/fields/{i}", "operations.fault.field-unknown");
            }
        }

        if (fields.Count == 0 && roles is not null && roles.Any(r => r is not (null or Roles.Maintainer)))
        {
            Add("/fields", "operations.fault.fields-needed");
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
