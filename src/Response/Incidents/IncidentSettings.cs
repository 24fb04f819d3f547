using System.ComponentModel.DataAnnotations;
using Sekisho.Domain.Detection;

namespace Sekisho.Response.Incidents;

/// <summary>Settings "Response:Incidents": what belongs together, and by when people are to be done.</summary>
public sealed class IncidentSettings
{
    /// <summary>The same condition on another device of the field so soon after the last one is the same cause.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00", ErrorMessage = "Give 00:00:00 to 1.00:00:00.")]
    public TimeSpan CauseWithin { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>A finding so soon after an incident was closed opens it again; later it is a new one.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00", ErrorMessage = "Give 00:00:00 to 30.00:00:00.")]
    public TimeSpan ReopenWithin { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long closed incidents are kept, with their timelines. Those that are not closed, or whose devices responses still hold, are kept for ever.</summary>
    [Range(typeof(TimeSpan), "30.00:00:00", "3650.00:00:00", ErrorMessage = "Give 30.00:00:00 to 3650.00:00:00.")]
    public TimeSpan KeepClosed { get; set; } = TimeSpan.FromDays(730);

    /// <summary>Lines that the gateway itself writes into one timeline; what is more is only counted.</summary>
    [Range(10, 2_000, ErrorMessage = "Give 10 to 2000.")]
    public int MostLines { get; set; } = 200;

    /// <summary>Time for an incident of level critical.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00", ErrorMessage = "Give 00:01:00 to 365.00:00:00.")]
    public TimeSpan DueCritical { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Time for an incident of level important.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00", ErrorMessage = "Give 00:01:00 to 365.00:00:00.")]
    public TimeSpan DueImportant { get; set; } = TimeSpan.FromHours(8);

    /// <summary>Time for an incident of level warning.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00", ErrorMessage = "Give 00:01:00 to 365.00:00:00.")]
    public TimeSpan DueWarning { get; set; } = TimeSpan.FromDays(3);

    /// <summary>Time for an incident of level information.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00", ErrorMessage = "Give 00:01:00 to 365.00:00:00.")]
    public TimeSpan DueInformation { get; set; } = TimeSpan.FromDays(14);

    /// <summary>The time that people have for a level.</summary>
    internal TimeSpan DueFor(string level) => level switch
    {
        Levels.Critical => DueCritical,
        Levels.Important => DueImportant,
        Levels.Warning => DueWarning,
        _ => DueInformation,
    };
}
