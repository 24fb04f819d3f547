using System.Security.Cryptography;
using System.Text;
using Sekisho.Sensor.Uplink;

namespace Sekisho.Sensor.Enforcement;

/// <summary>The gateway's order key, pinned at the first connection after the enrolment (order-key.pem): orders of any other key are refused until the sensor is enrolled anew.</summary>
internal static class OrderKey
{
    /// <summary>The pinned key; null when there is none yet.</summary>
    public static ECDsa? Pinned(string folder)
    {
        var file = Path.Combine(folder, Enrolment.OrderKeyFile);
        return File.Exists(file) ? Key(File.ReadAllText(file)) ?? throw new EnforcementException(EnforcementFault.DamagedOrders, file) : null;
    }

    /// <summary>Pins a key that the gateway named; null when it is none on P-256.</summary>
    public static ECDsa? Pin(string folder, string pem)
    {
        var key = Key(pem);
        if (key is not null)
        {
            PrivateFile.Replace(Path.Combine(folder, Enrolment.OrderKeyFile), Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem() + "\n"));
        }

        return key;
    }

    private static ECDsa? Key(string pem)
    {
        const string P256 = "1.2.840.10045.3.1.7";
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == P256)
            {
                return key;
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Not a key; the caller says so.
        }

        key.Dispose();
        return null;
    }
}
