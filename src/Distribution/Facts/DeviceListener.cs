using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Sekisho.Distribution.Facts;

/// <summary>What the stage needs of the listener that devices connect to.</summary>
public static class DeviceListener
{
    /// <summary>Counts the bytes of its connections for the devices that prove themselves on them. Before HTTPS, so that TLS is counted.</summary>
    public static void CountDeviceBytes(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        listen.Use(listen.ApplicationServices.GetRequiredService<WireCounting>().Middleware);
    }
}
