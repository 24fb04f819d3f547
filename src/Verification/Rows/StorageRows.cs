using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using Sekisho.Verification.Processes;

namespace Sekisho.Verification.Rows;

/// <summary>V10, V11: what whoever copies the data folder learns.</summary>
internal static class StorageRows
{
    public static async Task FilesRevealNothingAsync(Scene scene)
    {
        var markers = await MarkersAsync(scene).ConfigureAwait(false);
        var (files, bytes, control) = (0, 0L, 0);
        foreach (var file in Directory.GetFiles(scene.Gateway.DataFolder, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock"))
        {
            var content = await ReadAsync(file).ConfigureAwait(false);
            (files, bytes) = (files + 1, bytes + content.Length);
            control += Holds(content, scene.FieldId) ? 1 : 0;
            foreach (var (name, marker) in markers.Where(m => Holds(content, m.Marker)))
            {
                scene.Fail(scene.Text("in-clear", ("marker", scene.Text("marker." + name)), ("place", Path.GetFileName(file))));
            }
        }

        // The field's name is no secret and stands there: the search does find what is there.
        scene.Check(control > 0, scene.Text("searched", ("files", Number(files)), ("bytes", bytes.ToString("N0", CultureInfo.InvariantCulture)), ("markers", Number(markers.Count))));
    }

    public static async Task CopyIsUselessAsync(Scene scene)
    {
        var markers = await MarkersAsync(scene).ConfigureAwait(false);
        var folder = Directory.CreateTempSubdirectory("sekisho-copy-").FullName;
        try
        {
            var copy = Path.Combine(folder, "data");
            Directory.CreateDirectory(copy);
            foreach (var file in Directory.GetFiles(scene.Gateway.DataFolder).Where(f => Path.GetFileName(f) != "lock"))
            {
                await File.WriteAllBytesAsync(Path.Combine(copy, Path.GetFileName(file)), await ReadAsync(file).ConfigureAwait(false)).ConfigureAwait(false);
            }

            var (rows, control) = (0, 0);
            foreach (var file in Directory.GetFiles(copy, "*.db"))
            {
                await foreach (var (table, value) in ValuesAsync(file).ConfigureAwait(false))
                {
                    rows++;
                    control += Holds(value, scene.FieldId) ? 1 : 0;
                    foreach (var (name, marker) in markers.Where(m => Holds(value, m.Marker)))
                    {
                        scene.Fail(scene.Text("in-clear", ("marker", scene.Text("marker." + name)), ("place", table)));
                    }
                }
            }

            scene.Check(control > 0, scene.Text("queried", ("values", Number(rows)), ("markers", Number(markers.Count))));
            var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
            var start = GatewayStart.OnFreePorts(scene.Gateway.Command, copy) with { Prefix = ["env", "SEKISHO_MASTER_KEY=" + key] };
            await using var gateway = GatewayProcess.Launch(start);
            var code = await gateway.EndAsync().ConfigureAwait(false);
            scene.Check(code == 2 && gateway.Output.Contains("key", StringComparison.OrdinalIgnoreCase), scene.Text("other-key", ("code", Number(code)), ("output", gateway.Output.Trim().ReplaceLineEndings(" "))));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A device with a marker in all that must not be seen, and what was told to nobody else.</summary>
    private static async Task<IReadOnlyList<(string Name, string Marker)>> MarkersAsync(Scene scene)
    {
        var serial = "MARKERSERIAL" + RandomNumberGenerator.GetHexString(8);
        var unit = await scene.StartAsync(new { uniqueIdType = "serial", uniqueId = serial }).ConfigureAwait(false);
        unit.Note = "MARKER-payload-" + RandomNumberGenerator.GetHexString(12);
        var sent = await unit.ReadAsync().ConfigureAwait(false);
        scene.Check(sent.Status == 202, Scene.Short(sent));
        await scene.SettleAsync().ConfigureAwait(false);
        return [("payload", unit.Note), ("unique-id", serial), ("secret", unit.Device.Credential.AuthSecret), ("token", unit.Device.Token!)];
    }

    private static async IAsyncEnumerable<(string Table, byte[] Value)> ValuesAsync(string file)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync().ConfigureAwait(false);
            foreach (var table in await TablesAsync(connection).ConfigureAwait(false))
            {
                using var command = connection.CreateCommand();
                command.CommandText = $"SELECT * FROM \"{table}\"";
                using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
                while (await reader.ReadAsync().ConfigureAwait(false))
                {
                    for (var i = 0; i < reader.FieldCount; i++)
                    {
                        var value = reader.GetValue(i);
                        yield return ($"{Path.GetFileName(file)} {table}.{reader.GetName(i)}", value as byte[] ?? Encoding.UTF8.GetBytes(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
                    }
                }
            }
        }
    }

    private static async Task<List<string>> TablesAsync(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT name FROM sqlite_master WHERE type = 'table'";
        using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        var tables = new List<string>();
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            tables.Add(reader.GetString(0));
        }

        return tables;
    }

    private static bool Holds(byte[] content, string marker) =>
        content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(marker)) >= 0 || content.AsSpan().IndexOf(Encoding.Unicode.GetBytes(marker)) >= 0;

    private static async Task<byte[]> ReadAsync(string file)
    {
        var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await using (stream.ConfigureAwait(false))
        {
            var all = new MemoryStream();
            await stream.CopyToAsync(all).ConfigureAwait(false);
            return all.ToArray();
        }
    }

    private static string Number(int value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
