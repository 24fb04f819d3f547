using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Changes;

/// <summary>Settings "Response:News": how people are told of changed settings and of incidents.</summary>
public sealed class NewsSettings
{
    /// <summary>What happens within so long after the first is one mail.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "Give 00:00:01 to 01:00:00.")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>At least so long lies between two mails about incidents of one field.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "Give 00:00:01 to 1.00:00:00.")]
    public TimeSpan IncidentPause { get; set; } = TimeSpan.FromMinutes(10);
}
