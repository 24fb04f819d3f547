using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Intervals;

namespace Sekisho.Sensor.Live;

/// <summary>How live traffic is read and observed.</summary>
/// <param name="Capture">Interfaces and ring.</param>
/// <param name="Readers">Threads that read; with more than one the kernel shares the frames among them by flow.</param>
/// <param name="Observation">Tables and length of an interval.</param>
/// <param name="QuietSeconds">Seconds without a frame after which an interface raises an alarm.</param>
internal sealed record LiveSettings(CaptureSettings Capture, int Readers, ObservationSettings Observation, int QuietSeconds);
