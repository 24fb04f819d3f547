using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Sekisho.Api;

/// <summary>The bytes of a device connection that nobody has been charged for yet. Any thread.</summary>
public interface IWireCount
{
    /// <summary>What was counted so far is the device's.</summary>
    void Charge(string deviceId);
}

/// <summary>Puts the bytes of a connection to the device that proved itself on it.</summary>
public static class WireCharge
{
    /// <summary>Where the count is found in IConnectionItemsFeature.Items.</summary>
    public const string Key = "sekisho.wire";

    /// <summary>Charges the device; does nothing where connections are not counted, or when nobody proved anything.</summary>
    public static void Charge(HttpContext context, string? deviceId)
    {
        if (deviceId is not null
            && context.Features.Get<IConnectionItemsFeature>()?.Items is { } items
            && items.TryGetValue(Key, out var count))
        {
            (count as IWireCount)?.Charge(deviceId);
        }
    }
}
