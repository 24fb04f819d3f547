using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>
/// A machine that forwards, between a client's and a server's, each a network namespace:
/// <code>
/// client c0 ── m0 router or bridge m1 ── s0 server
/// </code>
/// Everybody knows everybody's MAC address for good, so that nothing is sent but what is measured.
/// </summary>
internal sealed class ForwardingPath : IDisposable
{
    public const string ClientEnd = "c0";
    public const string ServerEnd = "s0";
    public const string DevicesEnd = "m0";
    public const string ServerAddress = "10.0.2.200";

    private const string FarEnd = "m1";
    private const string ClientAddress = "10.0.1.200";
    private const int Client = 0x01C8;
    private const int Server = 0x02C8;

    private readonly List<NetworkSpace> _spaces = [];

    public ForwardingPath(bool router)
    {
        Router = router;
        try
        {
            foreach (var name in (string[])["client", "middle", "server"])
            {
                _spaces.Add(new NetworkSpace(name));
            }

            ClientSpace.Connect(ClientEnd, Middle, DevicesEnd);
            Middle.Connect(FarEnd, ServerSpace, ServerEnd);
            SetMac(ClientSpace, ClientEnd, Client);
            SetMac(ServerSpace, ServerEnd, Server);
            var prefix = router ? 24 : 16;
            ClientSpace.Ip("address", "add", $"{ClientAddress}/{prefix}", "dev", ClientEnd);
            ServerSpace.Ip("address", "add", $"{ServerAddress}/{prefix}", "dev", ServerEnd);
            if (router)
            {
                Route();
            }
            else
            {
                Bridge();
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public bool Router { get; }

    public NetworkSpace ClientSpace => _spaces[0];

    public NetworkSpace Middle => _spaces[1];

    public NetworkSpace ServerSpace => _spaces[2];

    /// <summary>What arrived at the server's machine and the client's.</summary>
    public long Arrived => ServerSpace.Received(ServerEnd) + ClientSpace.Received(ClientEnd);

    /// <summary>Frames of 1,514 bytes at most leave the two ends, instead of rows of segments that are cut behind the forwarding machine.</summary>
    public void SingleFrames()
    {
        ClientSpace.Ip("link", "set", "dev", ClientEnd, "gso_max_segs", "1");
        ServerSpace.Ip("link", "set", "dev", ServerEnd, "gso_max_segs", "1");
    }

    public void Dispose()
    {
        foreach (var space in _spaces)
        {
            space.Dispose();
        }
    }

    private void Route()
    {
        SetMac(Middle, DevicesEnd, Cameras.RouterLeft);
        SetMac(Middle, FarEnd, Cameras.RouterRight);
        Middle.Ip("address", "add", "10.0.1.254/24", "dev", DevicesEnd);
        Middle.Ip("address", "add", "10.0.2.254/24", "dev", FarEnd);
        Middle.Set("/proc/sys/net/ipv4/ip_forward", "1");
        ClientSpace.Ip("route", "add", "default", "via", "10.0.1.254");
        ServerSpace.Ip("route", "add", "default", "via", "10.0.2.254");
        Know(ClientSpace, ClientEnd, "10.0.1.254", Cameras.RouterLeft);
        Know(ServerSpace, ServerEnd, "10.0.2.254", Cameras.RouterRight);
        Know(Middle, DevicesEnd, ClientAddress, Client);
        Know(Middle, FarEnd, ServerAddress, Server);
        Know(Middle, FarEnd, AddressOf(Cameras.Recorder), Cameras.Recorder);
        for (var camera = Cameras.First; camera < Cameras.First + Cameras.Count; camera++)
        {
            Know(Middle, DevicesEnd, AddressOf(camera), camera);
        }
    }

    private void Bridge()
    {
        Middle.Ip("link", "add", "name", "br0", "type", "bridge", "mcast_snooping", "0");
        foreach (var port in (string[])[DevicesEnd, FarEnd])
        {
            Middle.Ip("link", "set", "dev", port, "master", "br0");
        }

        Middle.Ip("link", "set", "dev", "br0", "addrgenmode", "none");
        Middle.Ip("link", "set", "dev", "br0", "up");
        Know(ClientSpace, ClientEnd, ServerAddress, Server);
        Know(ServerSpace, ServerEnd, ClientAddress, Client);
    }

    private static string AddressOf(int host) => string.Create(CultureInfo.InvariantCulture, $"10.0.{host >> 8}.{host & 0xFF}");

    private static string MacOf(int host) => string.Create(CultureInfo.InvariantCulture, $"02:00:00:00:{host >> 8:x2}:{host & 0xFF:x2}");

    private static void SetMac(NetworkSpace space, string name, int host) => space.Ip("link", "set", "dev", name, "address", MacOf(host));

    private static void Know(NetworkSpace space, string name, string address, int host) => space.Ip("neighbour", "replace", address, "lladdr", MacOf(host), "dev", name, "nud", "permanent");
}
