namespace Sekisho.Domain.Detection;

/// <summary>What a condition claims: which device did what, how far from what was expected, and why one may believe it. It never names a consequence.</summary>
public sealed record Finding
{
    /// <summary>Derived from scope, condition, template version and triggering event, so that a repeat is recognised: "f" and 31 lower-case hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Field concerned; null when the gateway as a whole is (an unknown sender).</summary>
    public required string? FieldId { get; init; }

    /// <summary>Device concerned; null for wider scopes.</summary>
    public required string? DeviceId { get; init; }

    /// <summary>What the condition watches: one of <see cref="Scopes"/>.</summary>
    public required string Scope { get; init; }

    /// <summary>Which one: device identifier, user identifier, source address or field.</summary>
    public required string ScopeKey { get; init; }

    /// <summary>Name of the condition's kind ("frequency", "silence", …).</summary>
    public required string Condition { get; init; }

    /// <summary>Key of the condition within its template, unique there.</summary>
    public required string ConditionKey { get; init; }

    /// <summary>Template that set it.</summary>
    public required string TemplateId { get; init; }

    /// <summary>Version of that template.</summary>
    public required int TemplateVersion { get; init; }

    /// <summary>Assumed risk, one of <see cref="Risks"/>.</summary>
    public required string Risk { get; init; }

    /// <summary>Class of the threat, one of <see cref="Threats"/>; null where the template names none.</summary>
    public string? Threat { get; init; }

    /// <summary>One of <see cref="Levels"/>, raised by the device's role where the template says so.</summary>
    public required string Level { get; init; }

    /// <summary>What may follow from it, one of <see cref="Effects"/>.</summary>
    public string Effect { get; init; } = Effects.Act;

    /// <summary>Name of the stage that a condition with stages has reached ("late", "unreachable", …); null without stages.</summary>
    public string? Stage { get; init; }

    /// <summary>Arrival time of the event that raised it (UTC).</summary>
    public required DateTimeOffset RaisedAt { get; init; }

    /// <summary>Device time of that event, when it has one.</summary>
    public DateTimeOffset? DeviceTime { get; init; }

    /// <summary>Journal position of that event.</summary>
    public required long Position { get; init; }

    /// <summary>Correlation id of that event (of the last message before it for a tick).</summary>
    public required string CorrelationId { get; init; }

    /// <summary>Why.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>Attempts with wrong credentials are part of what it claims: anybody can make those in a device's name, from anywhere.</summary>
    public bool CountsWrongCredentials => Condition == "attempts" && Evidence.Facts.GetValueOrDefault("failed", "0") != "0";
}

/// <summary>Measured against expected, the events it rests on, and what would have kept it quiet.</summary>
public sealed record Evidence
{
    /// <summary>What was measured, a stable name ("interval", "count", "silence", "size", …).</summary>
    public required string Metric { get; init; }

    /// <summary>Unit of the values: "s", "bytes", "count", "".</summary>
    public required string Unit { get; init; }

    /// <summary>The measured value.</summary>
    public required double Measured { get; init; }

    /// <summary>Lower end of the expected band; null when open.</summary>
    public double? ExpectedLow { get; init; }

    /// <summary>Upper end of the expected band; null when open.</summary>
    public double? ExpectedHigh { get; init; }

    /// <summary>Where the band came from: "template", "learnt", "peer", "person" or "script".</summary>
    public required string Origin { get; init; }

    /// <summary>Journal positions of the events it rests on, newest last, at most 32.</summary>
    public required IReadOnlyList<long> Events { get; init; }

    /// <summary>The parameter of the condition and the value from which on it "would not have fired".</summary>
    public required Counterfactual Counterfactual { get; init; }

    /// <summary>What exactly is claimed, as an exception would name it (a network, a client, an extension, …); null when the claim has no such value.</summary>
    public string? Claim { get; init; }

    /// <summary>The device of the event that raised it, also where the condition watches something wider: exceptions of a group look at it; null when there is none.</summary>
    public string? Device { get; init; }

    /// <summary>Where the device was, as far as anybody said: exceptions of a place look at it; null when unknown.</summary>
    public string? Place { get; init; }

    /// <summary>Exceptions about this condition that were tried and why each did not hold; empty when there are none.</summary>
    public IReadOnlyList<TriedException> ExceptionsTried { get; init; } = [];

    /// <summary>Further facts for the sentence a person reads: plain names and values, no payload.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();
}

/// <summary>An exception that did not hold.</summary>
/// <param name="Id">Which one.</param>
/// <param name="Kind">One of <see cref="Events.ExceptionKinds"/>.</param>
/// <param name="Why">One of <see cref="ExceptionMisses"/>.</param>
public sealed record TriedException(string Id, string Kind, string Why);

/// <summary>Stable names of why an exception did not hold, in the order in which they are looked at.</summary>
public static class ExceptionMisses
{
    /// <summary>It is for another device, user or source.</summary>
    public const string OtherSubject = "other-subject";

    /// <summary>The device is not in its group.</summary>
    public const string OtherGroup = "other-group";

    /// <summary>It allows another value.</summary>
    public const string OtherValue = "other-value";

    /// <summary>Its time has run out.</summary>
    public const string Expired = "expired";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [OtherSubject, OtherGroup, OtherValue, Expired];
}

/// <summary>"Would not have fired if Parameter were Value."</summary>
/// <param name="Parameter">Name of the condition's parameter.</param>
/// <param name="Comparison">"at-least" or "at-most"; for a list "includes" or "excludes" (the claim), for a document "allows". "hidden" when the value may not be kept, so that nobody can say.</param>
/// <param name="Value">Smallest (largest) value that keeps it quiet, in the parameter's unit; 0 for lists and documents.</param>
/// <param name="Unit">The parameter's unit.</param>
public sealed record Counterfactual(string Parameter, string Comparison, double Value, string Unit);

/// <summary>Stable names of what a condition watches.</summary>
public static class Scopes
{
    /// <summary>One device.</summary>
    public const string Device = "device";

    /// <summary>One user, over all of the user's devices.</summary>
    public const string User = "user";

    /// <summary>One sender's address.</summary>
    public const string Source = "source";

    /// <summary>All devices behind one gateway unit, the unit included.</summary>
    public const string Parent = "parent";

    /// <summary>All devices of a field at one place (cell, site or room).</summary>
    public const string Place = "place";

    /// <summary>All devices of one kind in a field.</summary>
    public const string Kind = "kind";

    /// <summary>A whole field.</summary>
    public const string Field = "field";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Device, User, Source, Parent, Place, Kind, Field];
}

/// <summary>Stable names of what may follow from a finding.</summary>
public static class Effects
{
    /// <summary>Only proposes a setting: kept for people, no response.</summary>
    public const string Suggest = "suggest";

    /// <summary>Tried out: kept and counted, no response.</summary>
    public const string Shadow = "shadow";

    /// <summary>In force: responses follow.</summary>
    public const string Act = "act";

    /// <summary>All three.</summary>
    public static readonly IReadOnlyList<string> All = [Suggest, Shadow, Act];
}

/// <summary>Stable names of the twelve classes of threats (IPA's list for IoT).</summary>
public static class Threats
{
    /// <summary>T01 操作ミス</summary>
    public const string OperationMistake = "operation-mistake";

    /// <summary>T02 ウイルス感染</summary>
    public const string VirusInfection = "virus-infection";

    /// <summary>T03 盗難</summary>
    public const string Theft = "theft";

    /// <summary>T04 破壊</summary>
    public const string Destruction = "destruction";

    /// <summary>T05 盗聴</summary>
    public const string Eavesdropping = "eavesdropping";

    /// <summary>T06 情報漏えい</summary>
    public const string InformationLeak = "information-leak";

    /// <summary>T07 不正利用</summary>
    public const string UnauthorisedUse = "unauthorised-use";

    /// <summary>T08 不正設定</summary>
    public const string UnauthorisedSetting = "unauthorised-setting";

    /// <summary>T09 不正中継</summary>
    public const string UnauthorisedRelay = "unauthorised-relay";

    /// <summary>T10 DoS攻撃</summary>
    public const string DenialOfService = "denial-of-service";

    /// <summary>T11 偽メッセージ</summary>
    public const string FakeMessage = "fake-message";

    /// <summary>T12 ログ喪失</summary>
    public const string LossOfLogs = "loss-of-logs";

    /// <summary>All twelve, T01 first.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        OperationMistake, VirusInfection, Theft, Destruction, Eavesdropping, InformationLeak, UnauthorisedUse, UnauthorisedSetting, UnauthorisedRelay, DenialOfService, FakeMessage, LossOfLogs,
    ];
}

/// <summary>Stable names of the five assumed risks.</summary>
public static class Risks
{
    /// <summary>不正アクセス</summary>
    public const string UnauthorisedAccess = "unauthorised-access";

    /// <summary>なりすまし</summary>
    public const string Spoofing = "spoofing";

    /// <summary>乗っ取り</summary>
    public const string Takeover = "takeover";

    /// <summary>盗聴</summary>
    public const string Eavesdropping = "eavesdropping";

    /// <summary>盗難</summary>
    public const string Theft = "theft";

    /// <summary>All five.</summary>
    public static readonly IReadOnlyList<string> All = [UnauthorisedAccess, Spoofing, Takeover, Eavesdropping, Theft];
}

/// <summary>Stable names of the levels, lowest first.</summary>
public static class Levels
{
    /// <summary>情報</summary>
    public const string Information = "information";

    /// <summary>警告</summary>
    public const string Warning = "warning";

    /// <summary>重要</summary>
    public const string Important = "important";

    /// <summary>緊急</summary>
    public const string Critical = "critical";

    /// <summary>All four, lowest first.</summary>
    public static readonly IReadOnlyList<string> All = [Information, Warning, Important, Critical];

    /// <summary>The level so many ranks higher, at most the highest.</summary>
    public static string Raise(string level, int by) => All[Math.Min(All.Count - 1, Rank(level) + by)];

    /// <summary>Rank of a level, 0 for the lowest.</summary>
    /// <exception cref="ArgumentException">No such level.</exception>
    public static int Rank(string level)
    {
        for (var i = 0; i < All.Count; i++)
        {
            if (All[i] == level)
            {
                return i;
            }
        }

        throw new ArgumentException($"'{level}' is no level; levels are {string.Join(", ", All)}.", nameof(level));
    }
}
