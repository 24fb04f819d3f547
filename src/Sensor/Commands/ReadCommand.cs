using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sekisho.Sensor.Reading;
using Sekisho.Sensor.Texts;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;
using Sekisho.Wire.Features;
using Spectre.Console;

namespace Sekisho.Sensor.Commands;

/// <summary>What <c>sensor --read</c> is to do.</summary>
/// <param name="Path">A capture; "-" for standard input.</param>
/// <param name="Json">Prints one JSON object.</param>
/// <param name="Export">"ipfix", "csv", or null for statistics.</param>
/// <param name="Collector">HOST:PORT for IPFIX.</param>
/// <param name="OverTcp">TCP instead of UDP.</param>
/// <param name="Top">How many devices and flows are listed.</param>
/// <param name="Observation">Tables and length of an interval.</param>
/// <param name="Language">"ja" or "en".</param>
internal sealed record ReadOptions(string Path, bool Json, string? Export, string? Collector, bool OverTcp, int Top, ObservationSettings Observation, string Language);

/// <summary>Reads a capture and tells what was in it, or exports its flows.</summary>
internal static class ReadCommand
{
    private const int MostFlows = 2_000_000;

    public static async Task<int> RunAsync(ReadOptions options, TimeProvider clock, CancellationToken cancellation)
    {
        try
        {
            using var file = TrafficFile.Open(options.Path, options.Observation);
            return options.Export switch
            {
                "ipfix" => await ExportAsync(options, file, clock, cancellation).ConfigureAwait(false),
                "csv" => Table(options, file, cancellation),
                _ => Statistics(options, file, cancellation),
            };
        }
        catch (Exception e) when (Fail.Tell(e, e is SocketException ? options.Collector ?? "" : options.Path, options.Language))
        {
            return Fail.Failed;
        }
    }

    private static int Statistics(ReadOptions options, ITrafficFile file, CancellationToken cancellation)
    {
        var totals = new TrafficTotals(MostFlows);
        WithProgress(options, report => file.Run(totals.Add, report, cancellation));
        var warnings = Warnings(options, file, totals);
        var source = new TotalsJson.Source(options.Path, file.Format, file.IsCut, warnings);
        if (options.Json)
        {
            using var output = Console.OpenStandardOutput();
            TotalsJson.Write(output, totals, source, options.Top);
            output.WriteByte((byte)'\n');
        }
        else
        {
            var console = AnsiConsole.Console;
            console.Profile.Width = Console.IsOutputRedirected ? 200 : console.Profile.Width;
            TotalsTables.Write(console, totals, source, options.Top, options.Language);
        }

        return Tell(warnings, file);
    }

    private static int Table(ReadOptions options, ITrafficFile file, CancellationToken cancellation)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput());
        output.Write(FlowCsv.Header + "\r\n");
        WithProgress(options, report => file.Run(interval => FlowCsv.WriteRows(output, FlowRecord.Of(interval)), report, cancellation));
        output.Flush();
        return Tell(Warnings(options, file, totals: null), file);
    }

    private static async Task<int> ExportAsync(ReadOptions options, ITrafficFile file, TimeProvider clock, CancellationToken cancellation)
    {
        var collector = await CollectorAsync(options.Collector!, cancellation).ConfigureAwait(false);
        using var exporter = await IpfixExporter.ConnectAsync(collector, options.OverTcp, new IpfixSettings(), clock, cancellation).ConfigureAwait(false);
        var (records, messages) = (0L, 0L);

        // One interval at a time is in memory: reading waits until it is sent.
        using var intervals = new System.Collections.Concurrent.BlockingCollection<IntervalFeatures>(1);
        var work = Task.Run(
            () =>
            {
                try
                {
                    WithProgress(options, report => file.Run(interval => intervals.Add(interval, cancellation), report, cancellation));
                }
                finally
                {
                    intervals.CompleteAdding();
                }
            },
            cancellation);
        foreach (var interval in intervals.GetConsumingEnumerable(cancellation))
        {
            messages += await exporter.SendAsync(FlowRecord.Of(interval), cancellation).ConfigureAwait(false);
            records += interval.Flows.Count;
        }

        await work.ConfigureAwait(false);
        await Console.Out.WriteLineAsync(SensorTexts.Get("export.sent", options.Language, ("records", Writing.Number(records)), ("messages", Writing.Number(messages)), ("collector", options.Collector!))).ConfigureAwait(false);
        return Tell(Warnings(options, file, totals: null), file);
    }

    /// <summary>HOST:PORT as an end point. Throws <see cref="SocketException"/> for a name that cannot be resolved.</summary>
    private static async Task<IPEndPoint> CollectorAsync(string text, CancellationToken cancellation)
    {
        if (IPEndPoint.TryParse(text, out var plain) && plain.Port > 0)
        {
            return plain;
        }

        var colon = text.LastIndexOf(':');
        var addresses = await Dns.GetHostAddressesAsync(text[..colon], cancellation).ConfigureAwait(false);
        return new IPEndPoint(addresses[0], int.Parse(text[(colon + 1)..], CultureInfo.InvariantCulture));
    }

    private static List<string> Warnings(ReadOptions options, ITrafficFile file, TrafficTotals? totals)
    {
        var warnings = new List<string>();
        if (file.Damage is { } damage)
        {
            warnings.Add(FaultTexts.Of(damage, options.Path, options.Language)!);
        }

        if (file.IsCut)
        {
            warnings.Add(SensorTexts.Get("read.cut", options.Language, ("file", options.Path)));
        }

        if (file.Skipped > 0)
        {
            warnings.Add(SensorTexts.Get("read.skipped", options.Language, ("file", options.Path), ("rows", Writing.Number(file.Skipped))));
        }

        if (totals is { Evicted: > 0 })
        {
            warnings.Add(SensorTexts.Get("read.evicted", options.Language, ("evicted", Writing.Number(totals.Evicted))));
        }

        if (totals is { Beyond.Packets: > 0 })
        {
            warnings.Add(SensorTexts.Get("read.beyond", options.Language, ("flows", Writing.Number(MostFlows)), ("packets", Writing.Number(totals.Beyond.Packets))));
        }

        return warnings;
    }

    private static int Tell(List<string> warnings, ITrafficFile file)
    {
        warnings.ForEach(Console.Error.WriteLine);
        return file.Damage is null ? Fail.Done : Fail.Failed;
    }

    // On standard error, and only where a person looks at it: what is printed can be piped on.
    private static void WithProgress(ReadOptions options, Action<Action<double>> work)
    {
        if (Console.IsErrorRedirected)
        {
            work(_ => { });
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context =>
        {
            var task = context.AddTask(Markup.Escape(SensorTexts.Get("read.progress", options.Language, ("file", options.Path))), maxValue: 1);
            work(share => task.Value = share);
        });
    }
}
