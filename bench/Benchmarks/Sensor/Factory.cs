using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>The sensor as a program, a built or a published one, at the factory's load: how large it is, how soon it reads, what it needs.</summary>
internal static class Factory
{
    private const double Seconds = 20;
    private const int Starts = 3;
    private const double Cores = 0.02;
    private const double Mebibytes = 64;

    public static FactoryRow Run(string program)
    {
        using var cable = new Cable();
        var starts = new List<double>();
        for (var start = 0; start < Starts; start++)
        {
            using var tried = cable.Watch(program);
            starts.Add(tried.StartSeconds);
            tried.End();
        }

        var rate = Frames.Of(Frames.Factory).Rate;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"factory: {rate:N0}/s for {Seconds:N0} s, {Path.GetFileName(program)}"));
        using var sender = cable.Send("sensor-send", Frames.Factory, Cable.Left, rate.ToString(CultureInfo.InvariantCulture), Seconds.ToString(CultureInfo.InvariantCulture));
        try
        {
            SensorProcess.Expect(sender);
            using var sensor = cable.Watch(program);
            var cpu = sensor.Cpu;
            sender.StandardInput.WriteLine();
            var sent = SensorProcess.Read(sender.StandardOutput.ReadToEnd());
            var (used, resident, peak) = (sensor.Cpu - cpu, sensor.Mebibytes, sensor.PeakMebibytes);
            var told = sensor.End();
            return new FactoryRow(
                Path.GetFileName(program), SizeOf(program) / 1024.0 / 1024, starts.Order().ElementAt(Starts / 2), cpu, rate, sent["sent"] / sent["seconds"], sent["sent"], sent["sent"] - told.Sum(i => i.Packets), told.Sum(i => i.KernelDrops), used / sent["seconds"], resident, peak);
        }
        finally
        {
            SensorProcess.End(sender);
        }
    }

    public static IEnumerable<Goal> Goals(FactoryRow row)
    {
        yield return new Goal("factory: frames lost", 0, row.Lost, AtMost: true);
        yield return new Goal("factory: share of a core", Cores, row.SensorCores, AtMost: true);
        yield return new Goal("factory: MiB resident", Mebibytes, row.PeakMebibytes, AtMost: true);
    }

    // All that is beside a program that is not one file, without what is for debuggers and for compilers.
    private static long SizeOf(string program) => new FileInfo(program).Directory!.EnumerateFiles("*", SearchOption.AllDirectories).Where(f => f.Extension is not ".pdb" and not ".xml").Sum(f => f.Length);
}

/// <summary>What the program is and what it needed.</summary>
/// <param name="Program">Its file.</param>
/// <param name="SizeMebibytes">Its folder, without what is for debuggers and compilers.</param>
/// <param name="StartSeconds">From its start until it reads, the median of some.</param>
/// <param name="StartCpu">Seconds of processor time until then.</param>
/// <param name="Rate">Frames a second that the factory sends.</param>
/// <param name="SentRate">That were sent.</param>
/// <param name="Sent">In all.</param>
/// <param name="Lost">Of these, frames that the sensor did not tell.</param>
/// <param name="KernelDrops">Of these, frames that its ring had no room for.</param>
/// <param name="SensorCores">Processors that it used, its start not included.</param>
/// <param name="Mebibytes">Resident at the end.</param>
/// <param name="PeakMebibytes">Resident at most.</param>
internal sealed record FactoryRow(
    string Program, double SizeMebibytes, double StartSeconds, double StartCpu, double Rate, double SentRate, double Sent, double Lost, long KernelDrops, double SensorCores, double Mebibytes, double PeakMebibytes);
