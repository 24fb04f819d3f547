using System.Globalization;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Sim.Cards;
using Sekisho.Response.Sim.Carriers;
using Sekisho.Response.Sim.Template;

namespace Sekisho.Response.Sim;

/// <summary>How a field reaches its carrier, as an administrator sends it.</summary>
internal sealed record SimProviderRequest
{
    public const int MostForbidden = 100;
    public const int MostSecrets = 10;
    public const int LongestSecret = 4096;
    public const int UsualRequests = 60;

    /// <summary>"soracom" or "http".</summary>
    public string? Kind { get; init; }

    /// <summary>SORACOM only: "japan" or "global"; null when a base address is given.</summary>
    public string? Coverage { get; init; }

    /// <summary>One of the base addresses that the gateway's maintainer allows.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>Credentials by name; for SORACOM "authKeyId" and "authKey". One that is null or missing is kept while kind and address stay.</summary>
    public IReadOnlyDictionary<string, string?>? Secrets { get; init; }

    public SimTemplate? Template { get; init; }

    public IReadOnlyList<string?>? Forbidden { get; init; }

    /// <summary>5 to 1440; null to ask for nothing.</summary>
    public int? PollMinutes { get; init; }

    /// <summary>1 to 600.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>All that is wrong, and what it comes to when nothing is. Pure.</summary>
    public (SimConfig? Config, IReadOnlyList<Fault> Faults) Check(string fieldId, SimConfig? before, SimSettings settings, DateTimeOffset now, Texts texts, string language)
    {
        var faults = new List<Fault>();
        void Wrong(string place, string key, string value = "") => faults.Add(new Fault(place, texts.Get(key, language, ("value", value))));

        if (Kind is not (Soracom.Kind or TemplateCarrier.Kind))
        {
            Wrong("/kind", "sim.invalid.kind", $"{Soracom.Kind}, {TemplateCarrier.Kind}");
            return (null, faults);
        }

        var address = Address(settings);
        if (address is null)
        {
            Wrong(Kind == Soracom.Kind && BaseUrl is null ? "/coverage" : "/baseUrl", Kind == Soracom.Kind && BaseUrl is null ? "sim.invalid.coverage" : "sim.invalid.base-url");
        }

        // A secret is kept only for the carrier that it was given for: nobody may have it sent elsewhere by changing the address.
        var kept = before is not null && before.Kind == Kind && before.BaseUrl == address ? before.Secrets : new Dictionary<string, string>();
        var secrets = ReadSecrets(kept, Wrong);
        if (Kind == TemplateCarrier.Kind)
        {
            foreach (var fault in TemplateCheck.Check(Template, [.. secrets.Keys]))
            {
                Wrong("/template" + fault.Place, "sim.template." + fault.Key, fault.Value);
            }
        }
        else if (Template is not null)
        {
            Wrong("/template", "sim.invalid.no-template");
        }

        if (Forbidden?.Count > MostForbidden || Forbidden?.Any(f => f is null || !SimNames.IsSimId(f)) == true)
        {
            Wrong("/forbidden", "sim.invalid.forbidden", MostForbidden.ToString(CultureInfo.InvariantCulture));
        }

        if (PollMinutes is < 5 or > 1440)
        {
            Wrong("/pollMinutes", "sim.invalid.poll-minutes");
        }

        if (RequestsPerMinute is < 1 or > 600)
        {
            Wrong("/requestsPerMinute", "sim.invalid.requests");
        }

        return faults.Count > 0 ? (null, faults) : (new SimConfig
        {
            FieldId = fieldId,
            Kind = Kind,
            BaseUrl = address!,
            Secrets = secrets,
            Template = Template,
            Forbidden = [.. (Forbidden ?? []).OfType<string>()],
            PollMinutes = PollMinutes,
            RequestsPerMinute = RequestsPerMinute ?? UsualRequests,
            Version = Math.Max(now.ToUnixTimeMilliseconds(), (before?.Version ?? 0) + 1),
        }, faults);
    }

    private string? Address(SimSettings settings) => (Kind, Coverage, BaseUrl) switch
    {
        (Soracom.Kind, "japan", null) => Soracom.Japan,
        (Soracom.Kind, "global", null) => Soracom.Global,
        (_, null, { } url) when SimSettings.IsBase(url) && settings.Carriers.Select(SimSettings.Normal).Contains(SimSettings.Normal(url)) => SimSettings.Normal(url),
        _ => null,
    };

    private Dictionary<string, string> ReadSecrets(IReadOnlyDictionary<string, string> kept, Action<string, string, string> wrong)
    {
        var secrets = new Dictionary<string, string>(StringComparer.Ordinal);
        var needed = Kind == Soracom.Kind ? (string[])["authKeyId", "authKey"] : [];
        var names = Secrets is null ? needed.Concat(kept.Keys) : needed.Concat(Secrets.Keys);
        foreach (var name in names.Distinct(StringComparer.Ordinal))
        {
            if (name.Length is 0 or > 40 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') || (Kind == Soracom.Kind && !needed.Contains(name)))
            {
                wrong("/secrets/" + name, "sim.invalid.secret-name", string.Join(", ", needed));
            }
            else if ((Secrets?.GetValueOrDefault(name) ?? kept.GetValueOrDefault(name)) is not { } value)
            {
                wrong("/secrets/" + name, "sim.invalid.secret-missing", name);
            }
            else if (value.Length is 0 or > LongestSecret || !value.All(c => c is > ' ' and <= '~'))
            {
                wrong("/secrets/" + name, "sim.invalid.secret", "");
            }
            else
            {
                secrets[name] = value;
            }
        }

        if (secrets.Count > MostSecrets)
        {
            wrong("/secrets", "sim.invalid.secrets", MostSecrets.ToString(CultureInfo.InvariantCulture));
        }

        return secrets;
    }
}
