namespace Sekisho.Scripting;

/// <summary>What a script may use in one call. Instructions decide (equal everywhere); memory and time only stop.</summary>
public sealed record SandboxLimits
{
    /// <summary>For scripts on the data flow.</summary>
    public static readonly SandboxLimits Flow = new();

    /// <summary>For workers, which have a thread of their own.</summary>
    public static readonly SandboxLimits Worker = new() { Instructions = 20_000_000, Memory = 32 << 20, MostBlock = 8 << 20, Time = TimeSpan.FromSeconds(10), MostResultBytes = 256 << 10 };

    /// <summary>For scripts that decide on responses: one call for each detection, beside the data flow.</summary>
    public static readonly SandboxLimits Response = new() { Instructions = 500_000, Memory = 4 << 20, MostBlock = 1 << 20, Time = TimeSpan.FromSeconds(2) };

    /// <summary>Virtual machine instructions, in steps of 100.</summary>
    public long Instructions { get; init; } = 100_000;

    /// <summary>Bytes beyond what was in use when the call began.</summary>
    public int Memory { get; init; } = 1 << 20;

    /// <summary>Bytes of the largest single table or text.</summary>
    public int MostBlock { get; init; } = 256 << 10;

    /// <summary>Processor time. A call that takes more is stopped.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Bytes of all values returned, as JSON.</summary>
    public int MostResultBytes { get; init; } = 16 << 10;

    /// <summary>Bytes of a source.</summary>
    public int MostSourceBytes { get; init; } = 64 << 10;
}
