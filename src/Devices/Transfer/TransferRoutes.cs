using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Devices.Transfer;

/// <summary>A device that an import registered. The secret is shown here only.</summary>
/// <param name="Row">Row in the file; the header is row 1.</param>
/// <param name="DeviceId">The device identifier.</param>
/// <param name="CommonAuthId">Its common authentication ID.</param>
/// <param name="AuthSecret">Its secret; null when it shares that of its product line.</param>
internal sealed record ImportedDevice(int Row, string DeviceId, string CommonAuthId, string? AuthSecret);

/// <summary>What an import did.</summary>
/// <param name="DryRun">True when it only checked.</param>
/// <param name="Rows">Devices in the file.</param>
/// <param name="Devices">What was registered; empty on a dry run.</param>
internal sealed record ImportAnswer(bool DryRun, int Rows, IReadOnlyList<ImportedDevice> Devices);

/// <summary>Routes to import and export devices as CSV.</summary>
internal static class TransferRoutes
{
    private const int LargestFile = 4 << 20;
    private const int MostFaults = 1000;
    private const string CsvType = "text/csv";

    private static readonly ProblemType MediaType = new("csv-needed", StatusCodes.Status415UnsupportedMediaType);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapPost("/devices/import", ImportAsync)
            .WithName("ImportDevices").WithSummary("Registers the devices of a CSV file: all of them, or none with a fault for each broken row.").WithTags("Devices")
            .Produces<ImportAnswer>().Produces<string>(StatusCodes.Status200OK, CsvType).ProducesProblem(413).ProducesProblem(415).ProducesProblem(422)
            .Administers("devices", "device.import");
        routes.Field.MapGet("/devices/export", Export)
            .WithName("ExportDevices").WithSummary("Writes the devices of a field as CSV, without secrets.").WithTags("Devices")
            .Produces<string>(StatusCodes.Status200OK, CsvType)
            .Reads("devices");
    }

    private static async Task<IResult> ImportAsync(HttpContext context, string fieldId, bool? dryRun, DeviceImport import, Texts texts, CancellationToken cancellation)
    {
        if (context.Request.GetTypedHeaders().ContentType?.MediaType.Equals(CsvType, StringComparison.OrdinalIgnoreCase) != true)
        {
            return Problem.Of(MediaType);
        }

        if (await ReadAsync(context, cancellation) is not { } file)
        {
            return Problem.Of(CommonProblems.BodyTooLarge);
        }

        var checkOnly = dryRun == true;
        var (done, rows, broken) = await import.RunAsync(fieldId, file, checkOnly, Caller.Of(context), cancellation);
        if (broken.Count > 0)
        {
            return Rules.Problem(context, texts, [.. broken.Take(MostFaults)]);
        }

        context.Response.Headers.CacheControl = "no-store";
        var devices = done.Select(d => new ImportedDevice(d.Row, d.Device.Entry.Id, d.Device.CommonAuthId, d.Device.Secret)).ToList();
        return WantsCsv(context) ? Results.Bytes(Csv(devices), CsvType + "; charset=utf-8") : Results.Ok(new ImportAnswer(checkOnly, rows, devices));
    }

    private static IResult Export(HttpContext context, string fieldId, DeviceExport export)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Results.File(export.Write(fieldId, context.User.Is(Roles.Administrator)), CsvType + "; charset=utf-8", fieldId + "-devices.csv");
    }

    private static async Task<byte[]?> ReadAsync(HttpContext context, CancellationToken cancellation)
    {
        if (context.Request.ContentLength > LargestFile)
        {
            return null;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = LargestFile + 1;
        }

        using var file = new MemoryStream();
        var buffer = new byte[81920];
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer, cancellation)) > 0)
        {
            if (file.Length + count > LargestFile)
            {
                return null;
            }

            file.Write(buffer, 0, count);
        }

        return file.ToArray();
    }

    private static bool WantsCsv(HttpContext context) =>
        context.Request.GetTypedHeaders().Accept is { Count: > 0 } accept && accept[0].MediaType.Equals(CsvType, StringComparison.OrdinalIgnoreCase);

    private static byte[] Csv(List<ImportedDevice> devices)
    {
        var csv = new StringBuilder();
        Transfer.Csv.Append(csv, "row", "deviceId", "commonAuthId", "authSecret");
        foreach (var d in devices)
        {
            // A secret may begin like a formula and must arrive unchanged, and base64url needs no quotes.
            csv.Append(CultureInfo.InvariantCulture, $"{d.Row},{d.DeviceId},{d.CommonAuthId},{d.AuthSecret}\r\n");
        }

        return [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(csv.ToString())];
    }
}
