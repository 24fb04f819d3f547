using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using Sekisho.Sensor.Enforcement;
using Sekisho.Sensor.Live;
using Sekisho.Sensor.Reading;
using Sekisho.Sensor.Texts;
using Sekisho.Sensor.Uplink;
using Sekisho.Wire.Features;
using Spectre.Console;

namespace Sekisho.Sensor.Commands;

/// <summary>What <c>sensor --interface</c> or <c>sensor --flows</c> is to do.</summary>
/// <param name="Live">How traffic is read; null where records are taken in.</param>
/// <param name="Records">How records are taken in; null where traffic is read.</param>
/// <param name="Gateway">Where intervals go; null for the terminal alone.</param>
/// <param name="Folder">Who the sensor is, and what waits.</param>
/// <param name="SpoolBytes">Bytes that may wait on disk.</param>
/// <param name="View">Draws a screen; else a line each minute.</param>
/// <param name="Json">Prints each interval as a line of JSON instead of either.</param>
/// <param name="Language">"ja" or "en".</param>
/// <param name="Enforcement">How the gateway's orders are enforced; null where none are.</param>
internal sealed record LiveOptions(LiveSettings? Live, RecordSettings? Records, Uri? Gateway, string Folder, long SpoolBytes, bool View, bool Json, string Language, EnforcementOptions? Enforcement = null);

/// <summary>Watches interfaces, or takes records in, until it is told to end.</summary>
/// <param name="options">How.</param>
/// <param name="clock">Time.</param>
internal sealed class LiveCommand(LiveOptions options, TimeProvider clock)
{
    // A disk that stalls for longer than these intervals makes the ring fill, and the kernel counts what is lost.
    private const int IntervalsInMemory = 16;
    private static readonly TimeSpan LineEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, MirrorFault> _mirrors = [];
    private readonly LiveView _view = new(options.Language);
    private readonly Enforcer? _enforcer = options.Enforcement is { } enforcement ? new Enforcer(enforcement, clock, (key, values) => Console.Error.WriteLine(SensorTexts.Get(key, options.Language, values))) : null;
    private long _observed;
    private long _lineAt;

    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Spool? spool = null;
        try
        {
            GatewayUplink? uplink = null;
            var upload = Task.CompletedTask;
            if (options.Gateway is not null)
            {
                if (!SensorIdentity.Exists(options.Folder))
                {
                    throw new UplinkException(UplinkFault.NotEnrolled, options.Folder);
                }

                spool = Spool.Open(Path.Combine(options.Folder, "spool"), options.SpoolBytes);
                uplink = new GatewayUplink(spool, new UplinkOptions(options.Gateway, options.Folder), clock, new Random());
                upload = uplink.RunAsync(ended.Token);
            }

            var enforcing = _enforcer?.RunAsync(ended.Token);
            using var intervals = new BlockingCollection<IntervalFeatures>(IntervalsInMemory);
            var sensor = Sensor(intervals.Add);
            var reading = Task.Factory.StartNew(() => Read(sensor, intervals, ended.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            var keeping = Task.Factory.StartNew(() => Keep(intervals, spool, uplink), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

            try
            {
                // A refusal for good ends the sensor, and so does an interface that cannot be read, or rules that cannot be made.
                await Task.WhenAny(reading, keeping, uplink is null ? reading : upload, enforcing ?? reading).ConfigureAwait(false);
                await ended.CancelAsync().ConfigureAwait(false);
                await keeping.ConfigureAwait(false);
                await reading.ConfigureAwait(false);
            }
            finally
            {
                await Ended(upload).ConfigureAwait(false);
                await Ended(enforcing ?? Task.CompletedTask).ConfigureAwait(false);
            }

            return Fail.Done;
        }
        catch (Exception e) when (Fail.Tell(e, options.Records is { } r && e is SocketException ? FormattableString.Invariant($"{r.Listener.Address}:{r.Listener.Port}") : options.Folder, options.Language))
        {
            return Fail.Failed;
        }
        finally
        {
            spool?.Dispose();
        }
    }

    private Action<CancellationToken> Sensor(Action<IntervalFeatures> ended)
    {
        if (options.Live is { } live)
        {
            void Reading() => Console.Error.WriteLine(Text("live.reading", ("interfaces", string.Join(", ", live.Capture.Interfaces))));
            return new LiveSensor(live, clock) { Opened = Reading, Ended = ended, Changed = Note }.Run;
        }

        var records = options.Records!;
        void Listening() => Console.Error.WriteLine(Text("records.listening", ("port", records.Listener.Port.ToString(CultureInfo.InvariantCulture))));
        return new RecordSensor(records, clock) { Opened = Listening, Ended = ended, Changed = Note }.Run;
    }

    private static async Task Ended(Task upload)
    {
        try
        {
            await upload.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It was told to end; what was not sent waits on disk.
        }
    }

    private static void Read(Action<CancellationToken> sensor, BlockingCollection<IntervalFeatures> intervals, CancellationToken cancellation)
    {
        try
        {
            sensor(cancellation);
        }
        finally
        {
            intervals.CompleteAdding();
        }
    }

    private void Keep(BlockingCollection<IntervalFeatures> intervals, Spool? spool, GatewayUplink? uplink)
    {
        try
        {
            if (options.View)
            {
                AnsiConsole.Live(new Text(Text("live.waiting"))).AutoClear(true).Start(context =>
                {
                    context.Refresh();
                    Take(status => context.UpdateTarget(_view.Draw(status, AnsiConsole.Profile.Height)));
                });
            }
            else if (options.Json)
            {
                using var output = Console.OpenStandardOutput();
                Take(status => IntervalJson.Write(output, status));
            }
            else
            {
                Take(Line);
            }
        }
        finally
        {
            // Where this ends early, reading has to end too.
            intervals.CompleteAdding();
        }

        void Take(Action<LiveStatus> show)
        {
            foreach (var one in intervals.GetConsumingEnumerable())
            {
                var interval = uplink is null ? one : one with { State = uplink.Report(one.State) };
                _observed += interval.State.Bytes;
                spool?.Append(interval);
                show(new LiveStatus(interval with { State = interval.State with { Waiting = spool?.Waiting ?? 0 } }, _observed, uplink?.Bytes, Troubles(uplink)));
            }
        }
    }

    private List<string> Troubles(GatewayUplink? uplink)
    {
        var troubles = _mirrors.Where(m => m.Value != MirrorFault.None).OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => Text(m.Key, m.Value)).ToList();
        if (uplink?.Trouble is { } trouble)
        {
            troubles.Add(FaultTexts.Of(trouble, options.Language));
        }

        if (_enforcer?.Fault is { } fault)
        {
            troubles.Add(FaultTexts.Of(fault, "", options.Language)!);
        }

        if (_enforcer?.ClockOff is { } off)
        {
            troubles.Add(Text("enforce.clock", ("seconds", off.TotalSeconds.ToString("+0;-0", CultureInfo.InvariantCulture))));
        }

        return troubles;
    }

    private void Line(LiveStatus status)
    {
        var now = clock.GetTimestamp();
        if (_lineAt == 0 || clock.GetElapsedTime(_lineAt, now) >= LineEvery)
        {
            _lineAt = now;
            Console.WriteLine($"{_view.Head(status)}  {_view.Own(status)}");
            foreach (var trouble in status.Trouble)
            {
                Console.WriteLine(trouble);
            }
        }
    }

    private void Note(string name, MirrorFault fault)
    {
        _mirrors[name] = fault;
        if (!options.View)
        {
            Console.Error.WriteLine(Text(name, fault));
        }
    }

    private string Text(string name, MirrorFault fault) => options.Live is { } live
        ? Text(KeyOf(fault), ("interface", name), ("seconds", Writing.Number(live.QuietSeconds)))
        : Text(fault == MirrorFault.Quiet ? "records.quiet" : "records.back", ("address", name), ("seconds", Writing.Number(options.Records!.QuietSeconds)));

    internal static string KeyOf(MirrorFault fault) => fault switch
    {
        MirrorFault.Quiet => "mirror.quiet",
        MirrorFault.Down => "mirror.down",
        MirrorFault.Gone => "mirror.gone",
        _ => "mirror.back",
    };

    private string Text(string key, params ReadOnlySpan<(string Name, string Value)> values) => SensorTexts.Get(key, options.Language, values);
}
