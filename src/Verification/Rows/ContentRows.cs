using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Sekisho.Verification.Rows;

/// <summary>V23, V24: messages that are too large or broken.</summary>
internal static class ContentRows
{
    public static async Task OversizedAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        var preset = await PresetAsync(scene).ConfigureAwait(false);

        // What the listener itself refuses as too large is reported whatever the preset, so what must be quiet stays below both.
        var least = Math.Min(preset - 1, 200_000);
        var below = await unit.SendAsync(Sized(unit, scene.Now, least)).ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.QuietAsync().ConfigureAwait(false);
        var began = scene.Now;
        await scene.WaitAsync(TimeSpan.FromMinutes(6)).ConfigureAwait(false);
        var at = await unit.SendAsync(Sized(unit, scene.Now, preset)).ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
        scene.Check(below.Status == 202 && at.Status is 202 or 413, scene.Text("sized", ("preset", preset.ToString("N0", CultureInfo.InvariantCulture)), ("least", least.ToString("N0", CultureInfo.InvariantCulture)), ("below", Scene.Short(below)), ("at", Scene.Short(at))));
        await scene.DetectedAsync(Claims.Size, began).ConfigureAwait(false);
    }

    /// <summary>A message of a size that the template finds too large.</summary>
    public static async Task SendOversizedAsync(Scene scene, Unit unit)
    {
        var preset = await PresetAsync(scene).ConfigureAwait(false);
        await unit.SendAsync(Sized(unit, scene.Now, preset)).ConfigureAwait(false);
        await scene.SettleAsync().ConfigureAwait(false);
    }

    public static async Task BrokenAsync(Scene scene)
    {
        var unit = await scene.StartAsync().ConfigureAwait(false);
        await unit.ReadAsync().ConfigureAwait(false);
        await scene.WaitAsync(TimeSpan.FromMinutes(5)).ConfigureAwait(false);
        var began = scene.Now;
        var whole = unit.Reading(scene.Now);
        var answer = await unit.SendAsync(whole[..(whole.Length / 2)]).ConfigureAwait(false);
        var problem = answer.Problem is null ? null : JsonNode.Parse(answer.Body);
        var detail = problem?["faults"]?[0]?["message"]?.GetValue<string>() ?? problem?["detail"]?.GetValue<string>() ?? "";
        scene.Check(answer.Status == 400 && detail.Length > 0, $"{Scene.Short(answer)}: {detail}");
        await scene.SettleAsync().ConfigureAwait(false);
        await scene.DetectedAsync(Claims.Malformed, began).ConfigureAwait(false);
    }

    /// <summary>The size that the field's template presets, as the API shows it.</summary>
    private static async Task<int> PresetAsync(Scene scene)
    {
        var template = (await scene.Admin.GetAsync(scene.Path + "/template").ConfigureAwait(false)).Expect()["template"]!;
        var size = template["conditions"]!.AsArray().First(c => c!["kind"]!.GetValue<string>() == "size")!;
        return int.Parse(size["parameters"]!.AsArray().First(p => p!["key"]!.GetValue<string>().EndsWith(".bytes", StringComparison.Ordinal))!["value"]!.GetValue<string>(), CultureInfo.InvariantCulture);
    }

    private static string Sized(Unit unit, DateTimeOffset taken, int bytes)
    {
        unit.Note = "";
        var bare = unit.Reading(taken);
        return bare.Replace("\"note\":\"\"", $"\"note\":\"{new string('x', bytes - Encoding.UTF8.GetByteCount(bare))}\"", StringComparison.Ordinal);
    }
}
