using System.ComponentModel.DataAnnotations;

namespace Sekisho.Operations.Accounts;

/// <summary>Settings under Operations:Accounts.</summary>
internal sealed class AccountSettings
{
    /// <summary>A session ends when it was not used for this long.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "12:00:00")]
    public TimeSpan SessionIdle { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>A session ends after this long, used or not.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "7.00:00:00")]
    public TimeSpan SessionLongest { get; set; } = TimeSpan.FromHours(12);

    /// <summary>How long the code of the first start opens the set-up.</summary>
    [Range(typeof(TimeSpan), "00:10:00", "7.00:00:00")]
    public TimeSpan SetupCodeLife { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Life of an API key that was made without an expiry.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "1826.00:00:00")]
    public TimeSpan KeyLife { get; set; } = TimeSpan.FromDays(365);

    /// <summary>Longest delay between failed sign-ins; nobody is locked out for longer.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan SignInDelayMost { get; set; } = TimeSpan.FromMinutes(5);
}
