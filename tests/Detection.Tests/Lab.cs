using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests;

/// <summary>A lane runner in memory with a template of the test's own, and events for it.</summary>
internal sealed class Lab
{
    public static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<GatewayEvent> _pending = [];
    private long _position;

    public Lab(string conditions = "[]", string zone = "Asia/Tokyo", FakeDirectory? directory = null)
        : this(TemplateOf(conditions), zone, directory)
    {
    }

    public Lab(Template template, string zone = "Asia/Tokyo", FakeDirectory? directory = null, IReadOnlyDictionary<string, ParameterValue>? values = null, FieldCalendar? calendar = null)
    {
        Directory = directory ?? new FakeDirectory(zone);
        Book = BookOf(template, zone, values: values, calendar: calendar);
        Table = new SubjectTable(Directory, 512);
        Runner = new LaneRunner(Table, default);
        Runner.Adopt(Book);
    }

    public FakeDirectory Directory { get; }

    public SubjectTable Table { get; set; }

    public LaneRunner Runner { get; set; }

    public PlanBook Book { get; set; }

    public List<Finding> Findings { get; } = [];

    public List<StepResult> Results { get; } = [];

    public DateTimeOffset Now { get; private set; } = Start;

    public static Template TemplateOf(string conditions, string id = "test", string more = "", params ConditionKind[] kinds)
    {
        var faults = new List<string>();
        var yaml = $$"""
            id: {{id}}
            version: 1
            title: { ja: 試験, en: Test }
            description: { ja: 試験, en: Test }
            conditions: {{conditions}}
            {{more}}
            """;
        var template = new TemplateReader([.. DetectionFeature.Kinds, .. kinds]).Read("test.yaml", yaml, faults);
        Assert.Empty(faults);
        return template!;
    }

    /// <summary>A condition as flow YAML: name, kind and parameters; level, risk and label do not matter.</summary>
    public static string Condition(string kind, string parameters, string more = "", string scope = "device", string key = "c1") =>
        $"{{ key: {key}, kind: {kind}, scope: {scope}, risk: takeover, level: warning, label: {{ ja: あ, en: a }}, parameters: {{ {parameters} }} {(more.Length > 0 ? ", " + more : "")} }}";

    public static PlanBook BookOf(Template template, string zone = "Asia/Tokyo", int revision = 1, IReadOnlyDictionary<string, ParameterValue>? values = null, FieldCalendar? calendar = null)
    {
        var faults = new List<string>();
        using var gateway = new StreamReader(typeof(DetectionFeature).Assembly.GetManifestResourceStream("Templates/gateway.yaml")!);
        var built = new TemplateReader(DetectionFeature.Kinds).Read("gateway.yaml", gateway.ReadToEnd(), faults)!;
        var nothing = FieldTemplate.NoValues;
        return new PlanBook(
            new FieldPlan(new FieldTemplate(built, 1, nothing), TimeZoneInfo.Utc),
            new Dictionary<string, FieldPlan> { ["field"] = new(new FieldTemplate(template, revision, values ?? nothing), TimeZoneInfo.FindSystemTimeZoneById(zone), calendar) });
    }

    public static MessageEvent Message(
        DateTimeOffset at, string device = "d1", DateTimeOffset? time = null, int? sequence = null, string? mode = null, int size = 100, string source = "192.0.2.1", int payload = 10) => new()
        {
            ArrivedAt = at,
            CorrelationId = $"{at.ToUnixTimeMilliseconds():x32}",
            FieldId = "field",
            DeviceId = device,
            Epoch = 1,
            DeviceTime = time,
            Sequence = sequence?.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Mode = mode,
            Source = source,
            Size = size,
            Payload = new byte[payload],
            MessageId = sequence is { } number ? Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{device}/{number}")))[..32] : Guid.NewGuid().ToString("N"),
        };

    public static RefusalEvent Refusal(DateTimeOffset at, string reason, string? device = "d1", string source = "192.0.2.1", int count = 1, long bytes = 0) => new()
    {
        ArrivedAt = at,
        CorrelationId = $"{at.ToUnixTimeMilliseconds():x32}",
        Reason = reason,
        Source = source,
        DeviceId = device,
        FieldId = device is null ? null : "field",
        Count = count,
        Bytes = bytes,
    };

    public static DeviceChangedEvent Change(DateTimeOffset at, string state, string device = "d1") => new()
    {
        ArrivedAt = at,
        CorrelationId = "",
        FieldId = "field",
        DeviceId = device,
        State = state,
        Reason = "",
    };

    public static SimFactEvent Sim(DateTimeOffset at, string device = "d1", string session = SimSessions.Attached, long? up = null, long? down = null, string? address = null, string? cell = null, string? site = null) => new()
    {
        ArrivedAt = at,
        CorrelationId = $"{at.ToUnixTimeMilliseconds():x32}",
        FieldId = "field",
        DeviceId = device,
        Provider = "test",
        From = at.AddHours(-1),
        To = at,
        UplinkBytes = up,
        DownlinkBytes = down,
        Address = address,
        Session = session,
        Cell = cell,
        Site = site,
    };

    public static AuthenticationEvent Authentication(DateTimeOffset at, string device = "d1", string outcome = AuthenticationOutcomes.Renewed, string source = "192.0.2.1", string? client = null, string? user = null) => new()
    {
        ArrivedAt = at,
        CorrelationId = $"{at.ToUnixTimeMilliseconds():x32}",
        FieldId = "field",
        DeviceId = device,
        Outcome = outcome,
        Source = source,
        Client = client,
        UserId = user,
    };

    public static ExceptionChangedEvent Allow(DateTimeOffset at, string id, string? condition = null, string? subject = null, string? group = null, string? value = null, DateTimeOffset? until = null, bool inForce = true) => new()
    {
        ArrivedAt = at,
        CorrelationId = "",
        FieldId = "field",
        ExceptionId = id,
        InForce = inForce,
        Kind = ExceptionKinds.Accept,
        ConditionKey = condition,
        Subject = subject,
        Group = group,
        Value = value,
        Until = until,
        By = "anna",
    };

    public static TickEvent Tick(DateTimeOffset at) => new() { ArrivedAt = at, CorrelationId = "" };

    /// <summary>Events with ticks every so often between them, up to a moment.</summary>
    public static List<GatewayEvent> WithTicks(IEnumerable<GatewayEvent> events, DateTimeOffset until, TimeSpan? every = null)
    {
        var sorted = events.OrderBy(e => e.ArrivedAt).ToList();
        var step = every ?? TimeSpan.FromMinutes(1);
        var all = new List<GatewayEvent>();
        var next = 0;
        for (var at = sorted.Count > 0 ? sorted[0].ArrivedAt : Start; at <= until; at += step)
        {
            while (next < sorted.Count && sorted[next].ArrivedAt < at)
            {
                all.Add(sorted[next++]);
            }

            all.Add(Tick(at));
        }

        all.AddRange(sorted[next..]);
        return all;
    }

    /// <summary>Runs the events as one stretch.</summary>
    public StepResult Run(params IEnumerable<GatewayEvent> events)
    {
        var stretch = events.Select(e => e with { Position = ++_position }).ToList();
        Now = stretch[^1].ArrivedAt;
        var result = Runner.Step(stretch, Book);
        Results.Add(result);
        Findings.AddRange(result.Batch.Findings);
        return result;
    }
}
