using Sekisho.Detection.Templates;
using Sekisho.Domain.Devices;

namespace Sekisho.Detection.Findings;

/// <summary>How a condition does, by what people made of its findings.</summary>
internal sealed record ConditionRate
{
    public required string ConditionKey { get; init; }

    /// <summary>In the language of the request; the key where the template has no such condition any more.</summary>
    public required string Label { get; init; }

    public required string Effect { get; init; }

    public required long Findings { get; init; }

    public required long Subjects { get; init; }

    public required long Retracted { get; init; }

    public required long Incidents { get; init; }

    public required long Changes { get; init; }

    public required long FalseAlarms { get; init; }

    /// <summary>Findings that nobody has closed.</summary>
    public required long Unlabelled { get; init; }

    /// <summary>Share of the closed findings that were no false alarm; null while none is closed.</summary>
    public required double? Precision { get; init; }

    /// <summary>Devices in the field today.</summary>
    public required int Devices { get; init; }

    /// <summary>Device-months (of 30 days) that the rates rest on, with today's devices.</summary>
    public required double DeviceMonths { get; init; }

    /// <summary>Closed as a false alarm, per device and month; null without devices.</summary>
    public required double? FalseAlarmsPerDeviceMonth { get; init; }

    /// <summary>Upper end of its 95 % interval (Poisson, one-sided): what the exposure supports.</summary>
    public required double? FalseAlarmsUpper95 { get; init; }

    /// <summary>All findings per device and month: how much it annoys whatever it is worth.</summary>
    public required double? FindingsPerDeviceMonth { get; init; }

    public static ConditionRate Of(FindingCount count, FieldTemplate? template, int devices, double days, string language)
    {
        var months = devices * days / 30;
        var closed = count.Incidents + count.Changes + count.FalseAlarms;
        return new ConditionRate
        {
            ConditionKey = count.ConditionKey,
            Label = template?.Template.Conditions.FirstOrDefault(c => c.Key == count.ConditionKey)?.Label.In(language) ?? count.ConditionKey,
            Effect = count.Effect,
            Findings = count.Findings,
            Subjects = count.Subjects,
            Retracted = count.Retracted,
            Incidents = count.Incidents,
            Changes = count.Changes,
            FalseAlarms = count.FalseAlarms,
            Unlabelled = count.Findings - closed,
            Precision = closed == 0 ? null : Rounded((double)(closed - count.FalseAlarms) / closed),
            Devices = devices,
            DeviceMonths = Rounded(months),
            FalseAlarmsPerDeviceMonth = months > 0 ? Rounded(count.FalseAlarms / months) : null,
            FalseAlarmsUpper95 = months > 0 ? Rounded(Poisson.Upper95(count.FalseAlarms) / months) : null,
            FindingsPerDeviceMonth = months > 0 ? Rounded(count.Findings / months) : null,
        };
    }

    /// <summary>Devices that findings may be about.</summary>
    public static int DevicesOf(IDeviceDirectory directory, string fieldId) => directory.DevicesOf(fieldId).Count(d => d.State != LifecycleStates.Retired);

    private static double Rounded(double value) => Math.Round(value, 4);
}

/// <summary>How many there may be behind a count of rare things. Pure.</summary>
internal static class Poisson
{
    /// <summary>The mean at which a count this small or smaller comes with a chance of 5 % (exact, Garwood 1936).</summary>
    public static double Upper95(long count)
    {
        // Well above: a mean so many deviations higher leaves next to no chance of the count.
        var (low, high) = ((double)count, count + (6 * Math.Sqrt(count + 1)) + 6);
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            if (AtMost(count, middle) > 0.05)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return (low + high) / 2;
    }

    private static double AtMost(long count, double mean)
    {
        // In logarithms, so that a large mean does not vanish.
        var (term, sum) = (-mean, Math.Exp(-mean));
        for (long k = 1; k <= count; k++)
        {
            term += Math.Log(mean / k);
            sum += Math.Exp(term);
        }

        return sum;
    }
}
