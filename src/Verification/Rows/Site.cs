using System.Net;
using System.Text.Json.Nodes;
using Sekisho.Domain.Localization;
using Sekisho.Verification.Clients;
using Sekisho.Verification.Carrier;
using Sekisho.Verification.Cloud;
using Sekisho.Verification.Mail;
using Sekisho.Verification.Processes;
using Sekisho.Verification.Time;

namespace Sekisho.Verification.Rows;

/// <summary>What all plays share: the gateway, its administrator, the customer's cloud, the time. Any thread.</summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Admin">Administrator and maintainer.</param>
/// <param name="Cloud">Where all fields forward to.</param>
/// <param name="Carrier">Where the SIMs are.</param>
/// <param name="Mail">Where mails go.</param>
/// <param name="Time">When.</param>
/// <param name="Texts">Texts for people.</param>
/// <param name="Language">Language of evidence.</param>
/// <param name="ConditionsActive">False to try all conditions out only, so that nothing alarms: what must be found is then not found.</param>
internal sealed record Site(GatewayUnderTest Gateway, ManagementClient Admin, CloudReceiver Cloud, SoracomServer Carrier, MailReceiver Mail, Timetable Time, Texts Texts, string Language, bool ConditionsActive)
{
    private int _networks;
    private int _regions;
    private int _serials = 70_000;

    /// <summary>Makes the first account and signs in, again whenever a session would have become too old in the virtual days.</summary>
    public static async Task<ManagementClient> AdministratorAsync(GatewayUnderTest gateway, string language)
    {
        var admin = new ManagementClient(gateway.Management, gateway.CaFile, gateway.Clock) { Language = language, RenewAfter = TimeSpan.FromHours(6) };
        await admin.SetUpAsync(gateway.SetupCode, "verification", "verification of every row").ConfigureAwait(false);
        return admin;
    }

    /// <summary>Makes a field of that kind, watched by its template.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="kind">The template's name.</param>
    /// <param name="isForwarded">True when its data goes to the cloud.</param>
    public async Task OpenFieldAsync(string fieldId, string kind, bool isForwarded)
    {
        (await Admin.PostAsync("/ops/v1/fields", new { fieldId, name = fieldId, kind, language = Language }).ConfigureAwait(false)).Expect();
        if (isForwarded)
        {
            (await Admin.PutAsync($"/api/v1/fields/{fieldId}/destination", new { kind = "https", url = Cloud.Address, secret = Cloud.Secret, trustedCa = Cloud.CertificatePem, batchMessages = 100 }).ConfigureAwait(false)).Expect();
        }

        var parameters = new JsonObject();
        if (!ConditionsActive)
        {
            foreach (var condition in (await Admin.GetAsync($"/api/v1/templates/{kind}").ConfigureAwait(false)).Expect()["conditions"]!.AsArray())
            {
                parameters[$"{condition!["key"]!.GetValue<string>()}.effect"] = "shadow";
            }
        }

        (await Admin.PutAsync($"/api/v1/fields/{fieldId}/template", new JsonObject { ["templateId"] = kind, ["parameters"] = parameters }.ToJsonString()).ConfigureAwait(false)).Expect();
    }

    /// <summary>A number that no other device has.</summary>
    public int NewSerial() => Interlocked.Increment(ref _serials);

    /// <summary>An address in a network that no other device is in.</summary>
    public IPAddress NewAddress()
    {
        var network = Interlocked.Increment(ref _networks);
        return new IPAddress([127, (byte)(1 + (network / 250)), (byte)(1 + (network % 250)), 10]);
    }

    /// <summary>An address far away: it shares no more than the first eight bits with that of any device, as those of different providers do.</summary>
    public IPAddress NewDistantAddress() => new([127, (byte)(128 + (Interlocked.Increment(ref _regions) % 100)), 1, 10]);
}
