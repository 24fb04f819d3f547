using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Findings;

/// <summary>What users of other products complain about, as far as it concerns what people say of findings.</summary>
public class ComplaintTests
{
    private const string Field = "/api/v1/fields/field";

    [Theory]
    [InlineData("learn")]
    [InlineData("mute")]
    [InlineData("accept")]
    public async Task Complaint_13_a_false_alarm_is_marked_learnt_muted_or_accepted_with_reason_scope_preview_and_expiry(string kind)
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        gateway.Directory.SetDevice("d1");
        await gateway.SendAsync(HttpMethod.Put, Field + "/template", new { templateId = "smart-home" });
        gateway.Feed.Append([Big("d1", 0)]);
        await gateway.DoneAsync();
        var id = (string)(await gateway.GetAsync(Field + "/detections")).Body!["items"]![0]!["id"]!;
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Post, $"{Field}/detections/{id}/close", new { @as = "false-alarm", note = "pictures" })).Status);
        var draft = new { kind, condition = "size", subject = "d1", until = Lab.Start.AddDays(30), reason = "pictures" };
        var preview = (await gateway.SendAsync(HttpMethod.Post, Field + "/exceptions/preview", draft)).Body!;
        Assert.Equal((1, 1, "d1"), ((int)preview["removed"]!, (int)preview["removedFalseAlarms"]!, (string)preview["deviceIdsInScope"]![0]!));
        Assert.Equal(201, (await gateway.SendAsync(HttpMethod.Post, Field + "/exceptions", draft)).Status);
        gateway.Feed.Append([Big("d1", 7 * 60), Big("d1", 14 * 60), Lab.Refusal(Lab.Start.AddDays(1), RefusalReasons.Malformed), Big("d1", 31 * 24 * 60)]);
        await gateway.DoneAsync();

        // Quiet for as long as it holds; another misbehaviour of the same device is found all the same.
        Assert.Equal(["size", "malformed", "size"], (await gateway.GetAsync(Field + "/detections")).Body!["items"]!.AsArray().Select(i => (string)i!["condition"]!));
    }

    [Fact]
    public async Task Complaint_14_an_exception_takes_effect_at_once_and_every_detection_says_which_were_tried_and_why_they_did_not_match()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        gateway.Directory.SetDevice("d1", kind: "camera");
        gateway.Directory.SetDevice("d2", kind: "camera");
        await gateway.SendAsync(HttpMethod.Put, Field + "/template", new { templateId = "smart-home" });
        var other = await AddAsync(gateway, new { kind = "learn", condition = "size", subject = "d9", reason = "a" });
        var group = await AddAsync(gateway, new { kind = "learn", condition = "size", group = "kind:lamp", reason = "a" });
        var value = await AddAsync(gateway, new { kind = "learn", condition = "size", value = "192.0.2.0/24", reason = "a" });
        await AddAsync(gateway, new { kind = "learn", condition = "size", subject = "d2", reason = "a" });
        var foreign = await AddAsync(gateway, new { kind = "learn", condition = "malformed", reason = "a" });

        // The next message is judged with what was just saved, without a restart or a wait.
        gateway.Feed.Append([Big("d2", 0), Big("d1", 1)]);
        await gateway.DoneAsync();
        foreach (var (language, why) in new[] { ("en", new[] { "It is for another subject.", "The device is not in its group.", "It allows another value." }), ("ja", ["別の対象に対する例外です。", "対象のグループに属していません。", "許容している値と異なります。"]) })
        {
            var finding = Assert.Single((await gateway.GetAsync(Field + "/detections", language: language)).Body!["items"]!.AsArray())!;
            Assert.Equal("d1", (string)finding["deviceId"]!);
            var said = finding["explanation"]!["exceptions"]!.AsArray().Select(e => (string)e!).ToList();
            Assert.Equal(4, said.Count);
            Assert.Contains(said, s => s.Contains(other, StringComparison.Ordinal) && s.EndsWith(why[0], StringComparison.Ordinal));
            Assert.Contains(said, s => s.Contains(group, StringComparison.Ordinal) && s.EndsWith(why[1], StringComparison.Ordinal));
            Assert.Contains(said, s => s.Contains(value, StringComparison.Ordinal) && s.EndsWith(why[2], StringComparison.Ordinal));
            Assert.DoesNotContain(said, s => s.Contains(foreign, StringComparison.Ordinal));
        }

        Assert.StartsWith("An exception holds from its place in the journal on.", (string)(await gateway.GetAsync(Field + "/exceptions")).Body!["precedence"]!, StringComparison.Ordinal);
    }

    private static MessageEvent Big(string device, int minute) => Lab.Message(Lab.Start.AddMinutes(minute), device, size: 300_000);

    private static async Task<string> AddAsync(TestGateway gateway, object draft) => (string)(await gateway.SendAsync(HttpMethod.Post, Field + "/exceptions", draft)).Body!["id"]!;
}
