using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sekisho.Api.Settings;
using Sekisho.Detection.Evaluate;
using Sekisho.Detection.Evaluate.Fleets;
using Sekisho.Domain.Localization;
using Sekisho.Operations.Accounts;
using Sekisho.Operations.OperatorAudit;
using Sekisho.Storage;
using Sekisho.Storage.Keys;
using Sekisho.Verification.Rows;
using Sekisho.Verification.Runs;

namespace Sekisho.Gateway;

/// <summary>What each command does; the value is the exit code.</summary>
internal static class Commands
{
    private static readonly Texts VerifyTexts = new([typeof(VerificationRun).Assembly]);

    public static Task<int> UpAsync(StartOptions options, CancellationToken cancellation) => GuardedAsync(async () =>
    {
        await using var gateway = await GatewayHost.OpenAsync(options, TimeProvider.System).ConfigureAwait(false);
        try
        {
            await gateway.App.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            // Some stages run already: they end as in an orderly stop, then the fault is told.
            await gateway.App.StopAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        var texts = gateway.App.Services.GetRequiredService<Texts>();
        await Console.Out.WriteLineAsync(gateway.Steps.Text(texts, gateway.App.Services.GetRequiredService<FirstStart>().SetupCode)).ConfigureAwait(false);
        await gateway.App.WaitForShutdownAsync(cancellation).ConfigureAwait(false);
        return ExitCodes.Done;
    });

    public static Task<int> CheckConfigAsync(StartOptions options) => GuardedAsync(async () =>
    {
        var (_, settings) = GatewayHost.CheckSettings(options);
        var width = settings.Max(s => s.Key.Length);
        foreach (var setting in settings.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            await Console.Out.WriteLineAsync($"{setting.Key.PadRight(width)}  {setting.Value}  ({setting.Source})").ConfigureAwait(false);
        }

        return ExitCodes.Done;
    });

    public static Task<int> AuditVerifyAsync(StartOptions options) => GuardedAsync(async () =>
    {
        var storage = SettingsCatalog.Bound<StorageSettings>(GatewayHost.CheckSettings(options).Configuration, "Storage");
        var (databases, isNew) = await GatewayHost.OpenDatabasesAsync(storage, options.DataFolder).ConfigureAwait(false);
        await using var state = databases.State;
        if (isNew)
        {
            throw new StorageException($"There is no data in {options.DataFolder}. Name the gateway's data folder with --data.");
        }

        var (key, _) = MasterKey.Find(options.DataFolder, Environment.GetEnvironmentVariable, mayCreate: false);
        await KeyCheck.EnsureAsync(databases.State, key).ConfigureAwait(false);
        var verdict = await AuditChain.VerifyAsync(databases, key).ConfigureAwait(false);
        Console.WriteLine(verdict.Sentence);
        return verdict.Intact ? ExitCodes.Done : ExitCodes.CheckFailed;
    });

    public static Task<int> EvaluateTelemetryAsync(TelemetryOptions options) => GuardedAsync(() =>
    {
        TelemetryEvaluation.Run(options, System.Globalization.CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "ja" ? "ja" : "en", Console.Out, Console.Error);
        return Task.FromResult(ExitCodes.Done);
    });

    public static Task<int> EvaluateTemplatesAsync(TemplateEvaluationOptions options) => GuardedAsync(() =>
    {
        TemplateEvaluation.Run(options, System.Globalization.CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "ja" ? "ja" : "en", Console.Out);
        return Task.FromResult(ExitCodes.Done);
    });

    /// <summary>Plays the published table against a gateway of its own and prints it; 1 when anything is not as expected.</summary>
    public static Task<int> VerifyAsync(VerificationOptions options, FileInfo? json, CancellationToken cancellation) => GuardedAsync(async () =>
    {
        if (options.Unknown.Count > 0)
        {
            await Console.Error.WriteLineAsync(VerifyTexts.Get("verify.unknown", options.Language, ("names", string.Join(", ", options.Unknown)))).ConfigureAwait(false);
            return ExitCodes.WrongUse;
        }

        var printer = new TablePrinter(VerifyTexts, options.Language);
        var gateways = new ConcurrentBag<VirtualGateway>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        IReadOnlyList<RowResult> results;
        try
        {
            results = await VerificationRun.PlayAsync(
                options,
                async (clock, settings) =>
                {
                    var gateway = await VirtualGateway.StartAsync(clock, settings).ConfigureAwait(false);
                    gateways.Add(gateway);
                    gateway.Stopping.Register(stop.Cancel);
                    return gateway.UnderTest;
                },
                TimeProvider.System.GetUtcNow(),
                (result, done, all) => Console.Error.WriteLine(printer.Progress(result, done, all)),
                stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Broken off: nothing is shown, so nothing is as expected.
            return ExitCodes.CheckFailed;
        }
        finally
        {
            foreach (var gateway in gateways)
            {
                await gateway.DisposeAsync().ConfigureAwait(false);
            }
        }

        await Console.Out.WriteLineAsync(printer.Print(Table.Published, results)).ConfigureAwait(false);
        if (json is not null)
        {
            await File.WriteAllTextAsync(json.FullName, TablePrinter.ToJson(results) + Environment.NewLine, cancellation).ConfigureAwait(false);
        }

        return results.Any(r => r.Result == Results.Fail) ? ExitCodes.CheckFailed : ExitCodes.Done;
    });

    /// <summary>Faults that a person can mend are said in a sentence and end with 2; anything else is a fault of the program and keeps its trace.</summary>
    private static async Task<int> GuardedAsync(Func<Task<int>> run)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SettingsException or StorageException or IOException or InvalidDataException or UnauthorizedAccessException or SocketException or System.Data.Common.DbException)
        {
            await Console.Error.WriteLineAsync(e.Message + Advice(e)).ConfigureAwait(false);
            return ExitCodes.WrongUse;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Done;
        }
    }

    private static string Advice(Exception e) =>
        e is AddressInUseException || e.InnerException is AddressInUseException ? " Choose another with --port, --management-port or Gateway:SensorPort."
        : e is SocketException ? " The gateway cannot listen: look at Gateway:DeviceAddress, Gateway:ManagementAddress, --port and --management-port (ports below 1024 need a right of their own)."
        : "";
}
