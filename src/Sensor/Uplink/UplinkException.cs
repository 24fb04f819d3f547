namespace Sekisho.Sensor.Uplink;

/// <summary>The sensor cannot get to its gateway, or is refused for good. The message is for people and holds no secret.</summary>
public sealed class UplinkException : Exception
{
    /// <summary>With a sentence and, where there is one, its cause.</summary>
    public UplinkException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
