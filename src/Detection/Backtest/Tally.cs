using Sekisho.Detection.Findings;
using Sekisho.Detection.Lanes;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Backtest;

/// <summary>Who a condition was raised on.</summary>
internal readonly record struct TallyKey(string Condition, string Scope, string Subject);

/// <summary>How often, and when.</summary>
internal record struct TallyCount(int Findings, int Retracted, long First, long Last);

/// <summary>Counts the findings of a replay: by day, condition and subject. Its memory is bounded. One thread at a time.</summary>
/// <param name="zone">Zone that days are those of.</param>
/// <param name="from">Findings before are not counted: the plan was still learning. Unix milliseconds.</param>
internal sealed class Tally(TimeZoneInfo zone, long from)
{
    /// <summary>Stands for all subjects past the bound.</summary>
    public const string Others = "*";

    private const int MostSubjects = 50_000;
    private const int MostSamples = 500;

    private readonly Dictionary<TallyKey, TallyCount> _subjects = [];
    private readonly Dictionary<ulong, string> _conditions = [];
    private readonly SortedDictionary<DateOnly, Dictionary<string, int>> _days = [];
    private readonly List<Finding> _samples = [];

    public IReadOnlyDictionary<TallyKey, TallyCount> Subjects => _subjects;

    public IReadOnlyDictionary<DateOnly, Dictionary<string, int>> Days => _days;

    /// <summary>The first findings, whole.</summary>
    public IReadOnlyList<Finding> Samples => _samples;

    public int Findings { get; private set; }

    public void Add(StepResult result)
    {
        foreach (var raised in result.Raised)
        {
            if (raised.Finding.RaisedAt.ToUnixTimeMilliseconds() >= from)
            {
                Add(raised);
            }
        }

        foreach (var retracted in result.Retracted)
        {
            if (_conditions.TryGetValue(retracted.Identity, out var condition)
                && new TallyKey(condition, retracted.Subject.Scope, retracted.Subject.Key) is var key && _subjects.TryGetValue(key, out var count))
            {
                _subjects[key] = count with { Retracted = count.Findings };
            }
        }
    }

    private void Add(RaisedFinding raised)
    {
        var finding = raised.Finding;
        var at = finding.RaisedAt.ToUnixTimeMilliseconds();
        Findings++;
        _conditions[raised.Identity] = finding.ConditionKey;
        var key = new TallyKey(finding.ConditionKey, finding.Scope, finding.ScopeKey);
        if (!_subjects.ContainsKey(key) && _subjects.Count >= MostSubjects)
        {
            key = key with { Subject = Others };
        }

        var count = _subjects.TryGetValue(key, out var known) ? known : new TallyCount(0, 0, at, at);
        _subjects[key] = count with { Findings = count.Findings + 1, Last = at };
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(finding.RaisedAt, zone).DateTime);
        if (!_days.TryGetValue(day, out var ofDay))
        {
            _days.Add(day, ofDay = []);
        }

        ofDay[finding.ConditionKey] = ofDay.GetValueOrDefault(finding.ConditionKey) + 1;
        if (_samples.Count < MostSamples)
        {
            _samples.Add(finding);
        }
    }
}
