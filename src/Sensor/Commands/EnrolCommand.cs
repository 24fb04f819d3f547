using Sekisho.Sensor.Uplink;

namespace Sekisho.Sensor.Commands;

/// <summary>Makes this sensor known to its gateway.</summary>
internal static class EnrolCommand
{
    public static async Task<int> RunAsync(Uri gateway, string fingerprint, string folder, string language, TimeProvider clock, CancellationToken cancellation)
    {
        try
        {
            // Not an argument: other users of the machine could read it there.
            var code = await Console.In.ReadLineAsync(cancellation).ConfigureAwait(false) ?? "";
            var made = await Enrolment.EnrolAsync(gateway, code, fingerprint, folder, clock, cancellation).ConfigureAwait(false);
            await Console.Out.WriteLineAsync($"{made.SensorId} {made.NotAfter:yyyy-MM-dd}").ConfigureAwait(false);
            return Fail.Done;
        }
        catch (Exception e) when (Fail.Tell(e, folder, language))
        {
            return Fail.Failed;
        }
    }
}
