using System.Diagnostics;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>Two network namespaces and a cable between them, quiet but for what is sent. What arrives is worked on by the receiver's core, as with a network card whose interrupts go there.</summary>
internal sealed class Cable : IDisposable
{
    public const string Left = "left";
    public const string Right = "right";

    // Cores by number and by mask.
    private const string SendingCore = "0";
    private const string ReceivingCore = "1";
    private const string ReceivingMask = "2";

    private readonly List<NetworkSpace> _spaces = [];

    public Cable()
    {
        try
        {
            _spaces.Add(new NetworkSpace("a"));
            _spaces.Add(new NetworkSpace("b"));
            _spaces[0].Connect(Left, _spaces[1], Right);
            _spaces[1].Set($"/sys/class/net/{Right}/queues/rx-0/rps_cpus", ReceivingMask);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Process Send(params string[] arguments) => _spaces[0].Start(SendingCore, arguments);

    public Process Receive(params string[] arguments) => _spaces[1].Start(ReceivingCore, arguments);

    /// <summary>The sensor itself at the receiving end.</summary>
    public WatchingSensor Watch(string program) => new(_spaces[1], ReceivingCore, program, "--interface", Right);

    public void Dispose()
    {
        foreach (var space in _spaces)
        {
            space.Dispose();
        }
    }
}
