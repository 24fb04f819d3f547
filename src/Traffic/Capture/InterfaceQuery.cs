using System.Runtime.InteropServices;
using System.Text;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Capture;

/// <summary>What the kernel says of an interface.</summary>
internal static class InterfaceQuery
{
    private const int Ethernet = 1;
    private const int Loopback = 772;
    private const int Wlan = 801;
    private const int Radiotap = 803;

    /// <summary>Links whose frames the kernel hands over without a layer 2 that could be read here: PPP, IP in IP, SIT, GRE, and tun devices without any.</summary>
    private static readonly int[] WithoutLayer2 = [512, 768, 769, 776, 778, 823, 65534];

    /// <summary>Whether the interface is up; null when there is none of the name.</summary>
    internal static unsafe bool? IsUp(int socket, string name)
    {
        var request = Request(name);
        return Kernel.Control(socket, Kernel.GetFlags, &request) < 0 ? null : (request.Value & Kernel.FlagUp) != 0;
    }

    /// <summary>Link layer of the interface, and whether frames are read from layer 3 on. Throws <see cref="CaptureException"/>.</summary>
    internal static unsafe (LinkType Link, bool WithoutLayer2) Link(int socket, string name)
    {
        var request = Request(name);
        if (Kernel.Control(socket, Kernel.GetHardwareAddress, &request) < 0)
        {
            throw new CaptureException(CaptureFault.NoSuchInterface, name);
        }

        return request.Value switch
        {
            Ethernet or Loopback => (LinkType.Ethernet, false),
            Wlan => (LinkType.Wlan, false),
            Radiotap => (LinkType.Radiotap, false),
            var kind when WithoutLayer2.Contains(kind) => (LinkType.Raw, true),
            var kind => throw new CaptureException(CaptureFault.UnknownLink, name, $"ARPHRD {kind}"),
        };
    }

    private static unsafe Kernel.InterfaceRequest Request(string name)
    {
        Kernel.InterfaceRequest request = default;
        if (Encoding.UTF8.GetByteCount(name) is 0 or > 15)
        {
            throw new CaptureException(CaptureFault.NoSuchInterface, name);
        }

        Encoding.UTF8.GetBytes(name, MemoryMarshal.CreateSpan(ref *request.Name, 15));
        return request;
    }
}
