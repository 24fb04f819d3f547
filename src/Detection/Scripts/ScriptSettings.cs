namespace Sekisho.Detection.Scripts;

/// <summary>Whose scripts are taken.</summary>
internal sealed class ScriptSettings
{
    /// <summary>
    /// True to take only scripts that are signed by this gateway's key or by one of Detection:Templates:TrustedKeys when they come; otherwise the
    /// gateway signs what an administrator uploads.
    /// </summary>
    public bool RequireSignature { get; set; }
}
