using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Sekisho.Verification.Carrier;
using Sekisho.Verification.Clients;
using Sekisho.Verification.Cloud;
using Sekisho.Verification.Mail;
using Sekisho.Verification.Processes;

namespace Sekisho.Verification.Rows;

/// <summary>
/// One play of one case: a field of its own with devices of its own, and what is seen of it – answers, problem documents, detections, history, files,
/// what the cloud got. One task at a time.
/// </summary>
internal sealed class Scene(Site site, string kind, string fieldId) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly List<IDisposable> _owned = [];
    private readonly List<string> _devices = [];
    private readonly List<string> _evidence = [];
    private readonly List<string> _faults = [];
    private int _units;

    /// <summary>Kind of field: the template's name.</summary>
    public string Field => kind;

    /// <summary>The play's own field.</summary>
    public string FieldId => fieldId;

    /// <summary>Its path in the management API.</summary>
    public string Path => $"/api/v1/fields/{fieldId}";

    public ManagementClient Admin => site.Admin;

    public CloudReceiver Cloud => site.Cloud;

    public SoracomServer Carrier => site.Carrier;

    public MailReceiver Mail => site.Mail;

    public GatewayUnderTest Gateway => site.Gateway;

    /// <summary>A number that nothing else has.</summary>
    public int NewSerial() => site.NewSerial();

    public DateTimeOffset Now => site.Time.Now;

    /// <summary>What was seen, or, when something was not as expected, that.</summary>
    public string Evidence => string.Join(" · ", _faults.Count > 0 ? _faults : _evidence.Distinct());

    /// <summary>True when everything was as expected.</summary>
    public bool Passed => _faults.Count == 0 && _evidence.Count > 0;

    public Task WaitAsync(TimeSpan time) => site.Time.UntilAsync(Now + time);

    public Task UntilAsync(DateTimeOffset moment) => site.Time.UntilAsync(moment);

    /// <summary>Until the field's clock shows that hour the next time.</summary>
    public Task UntilHourAsync(int hour)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo");
        var local = TimeZoneInfo.ConvertTime(Now, zone);
        var today = new DateTimeOffset(local.Date, local.Offset).AddHours(hour);
        return site.Time.UntilAsync(today > Now ? today : today.AddDays(1));
    }

    /// <summary>Until everything sent so far is judged; refused requests are counted up by the second.</summary>
    public Task SettleAsync() => WaitAsync(TimeSpan.FromSeconds(2));

    public string Text(string key, params ReadOnlySpan<(string Name, string Value)> values) => site.Texts.Get("verify." + key, site.Language, values);

    /// <summary>Registers a device as the field has them.</summary>
    /// <param name="traits">Properties that differ from the usual.</param>
    /// <param name="address">Its address; one of its own when null.</param>
    public async Task<Unit> RegisterAsync(object? traits = null, IPAddress? address = null)
    {
        var number = ++_units;
        var request = Usual(number);
        foreach (var (key, value) in System.Text.Json.JsonSerializer.SerializeToNode(traits ?? new { })!.AsObject())
        {
            request[key] = value?.DeepClone();
        }

        var made = (await Admin.PostAsync(Path + "/devices", request.ToJsonString()).ConfigureAwait(false)).Expect();
        var id = made["device"]!["deviceId"]!.GetValue<string>();
        var credential = new DeviceCredential(made["commonAuthId"]!.GetValue<string>(), made["authSecret"]!.GetValue<string>(), request["uniqueId"]!.GetValue<string>());
        _devices.Add(id);
        var device = Connect(credential, address ?? site.NewAddress(), "sekisho-unit/1.0", null);
        return new Unit(this, device, id, kind == "car-mobility" ? "on" : null);
    }

    /// <summary>An address in a network that no other device is in.</summary>
    public IPAddress NewAddress() => site.NewAddress();

    /// <summary>An address in a network far from those of all devices.</summary>
    public IPAddress NewDistantAddress() => site.NewDistantAddress();

    /// <summary>Registers a device and signs it in.</summary>
    public async Task<Unit> StartAsync(object? traits = null, IPAddress? address = null) => await (await RegisterAsync(traits, address).ConfigureAwait(false)).SignedInAsync().ConfigureAwait(false);

    /// <summary>A sender with those elements.</summary>
    public SimulatedDevice Connect(DeviceCredential credential, IPAddress address, string? client, SimulatedDevice? like)
    {
        var device = new SimulatedDevice(Gateway.Devices, Gateway.CaFile, credential, Gateway.Clock, new DeviceLine(address, client, site.Language)) { DeviceId = like?.DeviceId, Token = like?.Token };
        _owned.Add(device);
        return device;
    }

    /// <summary>Every detection of the field, oldest first.</summary>
    public async Task<IReadOnlyList<Alert>> AlertsAsync()
    {
        var page = (await Admin.GetAsync(Path + "/detections?limit=500").ConfigureAwait(false)).Expect();
        return [.. page["items"]!.AsArray().Reverse().Select(d => new Alert(
            d!["condition"]!.GetValue<string>(),
            d["conditionKey"]!.GetValue<string>(),
            d["stage"]?.GetValue<string>(),
            d["risk"]!.GetValue<string>(),
            d["level"]!.GetValue<string>(),
            d["effect"]!.GetValue<string>(),
            d["deviceId"]?.GetValue<string>(),
            d["raisedAt"]!.GetValue<DateTimeOffset>(),
            d["sentence"]!.GetValue<string>(),
            d["retracted"]?.GetValue<string>()))];
    }

    /// <summary>Somebody was alarmed about one of the risks by one of the kinds of conditions, since then.</summary>
    public async Task<Alert?> DetectedAsync(Claim claim, DateTimeOffset since = default, DateTimeOffset? by = null)
    {
        var all = await AlertsAsync().ConfigureAwait(false);
        var found = all.FirstOrDefault(a => claim.Fits(a) && a.RaisedAt >= since && (by is null || a.RaisedAt <= by));
        if (found is null)
        {
            var others = all.Count == 0 ? Text("nothing") : string.Join(" / ", all.Select(Short));
            _faults.Add(Text("not-detected", ("expected", claim.ToString()), ("found", others)));
            return null;
        }

        _evidence.Add(found.Sentence);
        return found;
    }

    /// <summary>Nobody was alarmed, whatever was taken back later; information is no alarm.</summary>
    public async Task QuietAsync(DateTimeOffset since = default)
    {
        var all = (await AlertsAsync().ConfigureAwait(false)).Where(a => a.RaisedAt >= since).ToList();
        var alarms = all.Where(a => a.Alarms).ToList();
        if (alarms.Count > 0)
        {
            _faults.Add(Text("alarmed", ("found", string.Join(" / ", alarms.Select(Short)))));
            return;
        }

        _evidence.Add(Text("quiet", ("information", all.Count(a => a.Effect == "act").ToString(CultureInfo.InvariantCulture))));
    }

    /// <summary>Says what was seen; when it is not as expected, the case has failed.</summary>
    public void Check(bool asExpected, string seen)
    {
        if (asExpected)
        {
            _evidence.Add(seen);
        }
        else
        {
            _faults.Add(Text("unexpected", ("seen", seen)));
        }
    }

    /// <summary>The case has failed.</summary>
    public void Fail(string why) => _faults.Add(why);

    /// <summary>An answer in a few words: its status and, for a refusal, the title of its problem document.</summary>
    public static string Short(DeviceAnswer answer) =>
        answer.Problem is null ? answer.Status.ToString(CultureInfo.InvariantCulture) : $"{answer.Status} {JsonNode.Parse(answer.Body)!["title"]!.GetValue<string>()} ({answer.Problem})";

    /// <summary>Asks again until what is seen is as expected, for what the gateway does in its own time: responses, forwarding.</summary>
    public static async Task<T> SeenAsync<T>(Func<Task<T>> look, Func<T, bool> isExpected)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var seen = await look().ConfigureAwait(false);
            if (isExpected(seen) || TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                return seen;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System).ConfigureAwait(false);
        }
    }

    /// <summary>Lines of the field's history, newest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> HistoryAsync(string lines) =>
        [.. (await Admin.GetAsync($"{Path}/history?kind={lines}&limit=200").ConfigureAwait(false)).Expect()["items"]!.AsArray().Select(l => l!)];

    /// <summary>Takes the play's devices away, so that they are nobody's business in the days that follow.</summary>
    public async Task EndAsync()
    {
        foreach (var id in _devices)
        {
            await Admin.DeleteAsync($"{Path}/devices/{id}").ConfigureAwait(false);
        }
    }

    public void Dispose() => _owned.ForEach(d => d.Dispose());

    private static string Short(Alert a) => $"{a.Condition}{(a.Stage is null ? "" : ":" + a.Stage)} [{a.Risk}, {a.Level}, {a.Effect}] {a.Sentence}";

    private JsonObject Usual(int number)
    {
        var serial = site.NewSerial();
        return kind switch
        {
            "car-mobility" => new JsonObject { ["uniqueIdType"] = "imei", ["uniqueId"] = Imei(serial), ["name"] = $"Recorder {number}", ["kind"] = "drive-recorder", ["cadence"] = "irregular" },
            "smart-home" => new JsonObject { ["uniqueIdType"] = "mac-serial", ["uniqueId"] = $"02:5E:{serial >> 16 & 0xFF:X2}:{serial >> 8 & 0xFF:X2}:{serial & 0xFF:X2}:01/SN{serial:D8}", ["name"] = $"Sensor {number}", ["kind"] = "environment-sensor", ["cadence"] = "irregular" },
            _ => new JsonObject { ["uniqueIdType"] = "serial", ["uniqueId"] = $"TAB{serial:D8}", ["name"] = $"Tablet {number}", ["kind"] = "tablet", ["cadence"] = "irregular" },
        };
    }

    /// <summary>15 digits, the last by Luhn's rule.</summary>
    private static string Imei(int serial)
    {
        var digits = "353291" + serial.ToString("D8", CultureInfo.InvariantCulture);
        var sum = 0;
        for (var i = 0; i < 14; i++)
        {
            var digit = digits[i] - '0';
            digit = i % 2 == 1 ? digit * 2 : digit;
            sum += digit > 9 ? digit - 9 : digit;
        }

        return digits + ((10 - (sum % 10)) % 10).ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>What a case expects to be detected.</summary>
/// <param name="Kinds">Kinds of conditions that may say it.</param>
/// <param name="Risks">Risks that it may be about.</param>
/// <param name="Stage">Stage it must have reached; null for any.</param>
/// <param name="IsInformation">It may be for information only.</param>
/// <param name="DeviceId">The device that it must be about; null for any, or none.</param>
internal sealed record Claim(IReadOnlyList<string> Kinds, IReadOnlyList<string> Risks, string? Stage = null, bool IsInformation = false, string? DeviceId = null)
{
    public bool Fits(Alert alert) =>
        (IsInformation ? alert.Effect == "act" : alert.Alarms) && Kinds.Contains(alert.Condition) && Risks.Contains(alert.Risk) && (Stage is null || alert.Stage == Stage)
        && (DeviceId is null || alert.DeviceId == DeviceId);

    public override string ToString() => $"{string.Join("/", Kinds)}{(Stage is null ? "" : ":" + Stage)} ({string.Join(", ", Risks)})";
}
