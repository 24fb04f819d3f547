using System.ComponentModel;
using System.Diagnostics;

namespace Sekisho.Sensor.Enforcement;

/// <summary>The program nft of nftables. One call at a time.</summary>
internal static class Nft
{
    private const int LongestDetail = 300;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);

    /// <summary>The table of a family as the kernel has it; null when it has none.</summary>
    public static async Task<NftState?> ListAsync(string family, string? networkNamespace, CancellationToken cancellation)
    {
        var (code, output, errors) = await RunAsync(["-j", "list", "table", family, NftRules.Table], "", networkNamespace, cancellation).ConfigureAwait(false);
        if (code == 0)
        {
            return NftRules.Read(output);
        }

        // "No such file or directory" is how it says that there is no such table; other refusals look different.
        return errors.Contains("No such file", StringComparison.Ordinal) ? null : throw Fault(errors);
    }

    /// <summary>Does all of it or nothing.</summary>
    public static async Task ChangeAsync(string transaction, string? networkNamespace, CancellationToken cancellation)
    {
        var (code, _, errors) = await RunAsync(["-j", "-f", "-"], transaction, networkNamespace, cancellation).ConfigureAwait(false);
        if (code != 0)
        {
            throw Fault(errors);
        }
    }

    private static EnforcementException Fault(string errors)
    {
        var detail = string.Join(' ', errors.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        detail = detail.Length > LongestDetail ? detail[..LongestDetail] : detail;
        return new EnforcementException(errors.Contains("not permitted", StringComparison.Ordinal) ? EnforcementFault.NotPermitted : EnforcementFault.Refused, detail);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string[] arguments, string input, string? networkNamespace, CancellationToken cancellation)
    {
        // By its full name: what comes first in somebody's PATH is not what changes the rules.
        var program = ((string[])["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"]).FirstOrDefault(File.Exists) ?? throw new EnforcementException(EnforcementFault.NoNft);
        string[] line = networkNamespace is null ? [program, .. arguments] : ["ip", "netns", "exec", networkNamespace, program, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };

        // Its words are read, so they have to be those of every machine.
        start.Environment["LC_ALL"] = "C";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(s_longest);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new EnforcementException(EnforcementFault.NoNft, e.Message, e);
        }

        using (process)
        {
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(limit.Token);
                var errors = process.StandardError.ReadToEndAsync(limit.Token);
                try
                {
                    await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token).ConfigureAwait(false);
                    process.StandardInput.Close();
                }
                catch (IOException)
                {
                    // It ended without reading all; its exit code and its words say why.
                }

                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
                return (process.ExitCode, await output.ConfigureAwait(false), await errors.ConfigureAwait(false));
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                process.Kill();
                throw new EnforcementException(EnforcementFault.Refused, "no answer within 30 s");
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw;
            }
        }
    }
}
