using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Sekisho.Sensor.Uplink;

/// <summary>What came of an enrolment.</summary>
/// <param name="SensorId">Name of the sensor at the gateway.</param>
/// <param name="NotAfter">Until when its certificate is valid; it is renewed before.</param>
/// <param name="UpTo">Highest interval that the gateway has of this sensor from earlier.</param>
public sealed record Enrolled(string SensorId, DateTimeOffset NotAfter, long UpTo);

/// <summary>Makes a sensor known to its gateway, once.</summary>
public static class Enrolment
{
    /// <summary>The key that the gateway signs orders with, pinned until the sensor is enrolled anew.</summary>
    internal const string OrderKeyFile = "order-key.pem";

    private const int FingerprintDigits = 64;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Fetches the gateway's CA and compares it with the fingerprint; only then shows the code, over a connection that this CA vouches for. The
    /// private key is made here and never leaves.
    /// </summary>
    /// <param name="gateway">https://HOST:PORT of the gateway's listener for sensors.</param>
    /// <param name="code">The one-time code.</param>
    /// <param name="fingerprint">SHA-256 of the gateway's CA in hex, with or without colons.</param>
    /// <param name="folder">Where ca.pem and identity.pem are kept.</param>
    /// <param name="clock">Time.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="UplinkException">It did not work; <see cref="UplinkException.Trouble"/> says why.</exception>
    public static async Task<Enrolled> EnrolAsync(Uri gateway, string code, string fingerprint, string folder, TimeProvider clock, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        ArgumentNullException.ThrowIfNull(fingerprint);
        var wanted = fingerprint.Replace(":", "", StringComparison.Ordinal).Trim().ToUpperInvariant();
        if (wanted.Length != FingerprintDigits || !wanted.All(char.IsAsciiHexDigit))
        {
            throw new UplinkException(UplinkFault.NoFingerprint);
        }

        using var authority = await AuthorityAsync(gateway, wanted, clock, cancellation).ConfigureAwait(false);
        var (key, request) = SensorIdentity.NewRequest();
        using (key)
        {
            using var client = GatewayClient.Trusting(gateway, authority, own: null, Timeout, _ => { });
            var answer = await AskAsync(client, HttpMethod.Post, "/sensor/v1/enrol", Json(("code", code), ("request", request)), clock, cancellation).ConfigureAwait(false);
            if (!answer.Done)
            {
                throw new UplinkException(UplinkFault.EnrolmentRefused, $"{answer.Status} {answer.Text("detail")}");
            }

            var notAfter = answer.Body!.Value.TryGetProperty("notAfter", out var end) && end.TryGetDateTimeOffset(out var time) ? time : (DateTimeOffset?)null;
            if (answer.Text("sensorId") is not { } sensorId || answer.Text("certificate") is not { } certificate || notAfter is null || answer.Number("upTo") is not { } upTo)
            {
                throw new UplinkException(UplinkFault.NoGateway);
            }

            SensorIdentity.KeepAuthority(folder, authority);
            File.Delete(Path.Combine(folder, OrderKeyFile));
            SensorIdentity.Keep(folder, certificate, key);
            return new Enrolled(sensorId, notAfter.Value, upTo);
        }
    }

    /// <summary>Asks for the next certificate with the present one, and keeps it.</summary>
    internal static async Task<GatewayAnswer> RenewAsync(GatewayClient client, string folder, TimeProvider clock, CancellationToken cancellation)
    {
        var (key, request) = SensorIdentity.NewRequest();
        using (key)
        {
            var answer = await client.SendAsync(HttpMethod.Post, "/sensor/v1/certificate", Json(("request", request)), clock, cancellation).ConfigureAwait(false);
            if (answer.Done && answer.Text("certificate") is { } certificate)
            {
                SensorIdentity.Keep(folder, certificate, key);
            }

            return answer;
        }
    }

    private static async Task<X509Certificate2> AuthorityAsync(Uri gateway, string wanted, TimeProvider clock, CancellationToken cancellation)
    {
        using var stranger = GatewayClient.TrustingNobodyYet(gateway, Timeout);
        var answer = await AskAsync(stranger, HttpMethod.Get, "/sensor/v1/authority", null, clock, cancellation).ConfigureAwait(false);
        try
        {
            var authority = X509Certificate2.CreateFromPem(answer.Text("certificate") ?? "");
            if (authority.GetCertHashString(HashAlgorithmName.SHA256) == wanted)
            {
                return authority;
            }

            authority.Dispose();
        }
        catch (CryptographicException e)
        {
            throw new UplinkException(UplinkFault.NoGateway, cause: e);
        }

        throw new UplinkException(UplinkFault.OtherAuthority);
    }

    private static async Task<GatewayAnswer> AskAsync(GatewayClient client, HttpMethod method, string path, HttpContent? body, TimeProvider clock, CancellationToken cancellation)
    {
        try
        {
            return await client.SendAsync(method, path, body, clock, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new UplinkException(UplinkFault.Unreachable, e.Message, e);
        }
    }

    private static ByteArrayContent Json(params (string Name, string Value)[] members)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var (name, value) in members)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        return new ByteArrayContent(stream.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
    }
}
