using System.Text.Json;
using Sekisho.Detection.Conditions;
using Sekisho.Domain.Events;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>What a sender, or a year of honest operation, may put before the conditions on content.</summary>
public class HardContentTests
{
    [Fact]
    public void A_file_behind_many_harmless_ones_is_found()
    {
        var files = string.Join(",", Enumerable.Repeat("\"a.jpg\"", 200));
        Assert.Single(Content.Findings(Lab.Condition("file-type", "pointer: /f"), [Content.At(0, $$"""{"f":[{{files}},"b.exe"]}""")]));
    }

    [Fact]
    public void A_number_beside_levels_without_end_is_found()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 200)) + new string(']', 200);
        Assert.Single(Content.Findings(Lab.Condition("value", "pointer: /t, most: 1"), [Content.At(0, $$"""{"x":{{deep}},"t":5}""")]));
    }

    [Fact]
    public void A_number_that_only_detection_may_see_stands_in_no_finding_and_in_no_state()
    {
        foreach (var condition in new[]
        {
            Lab.Condition("value", "pointer: /t, most: 50"),
            Lab.Condition("value", "pointer: /t, sides: both", "judge: learnt"),
            Lab.Condition("value", "pointer: /t, least: 0, most: 50", "judge: outside"),
            Lab.Condition("value", "pointer: /t, least: 50", "judge: below"),
            Lab.Condition("value-rate", "pointer: /t, most: 1"),
            Lab.Condition("value-stuck", "pointer: /t, messages: 2, lasting: \"00:00:00\", changes: 1"),
        })
        {
            var lab = new Lab($"[{condition}]");
            lab.Run(Enumerable.Range(0, 400).Select(i => Content.At(5 * i, "{}", transient: $$"""{"/t":{{(i % 9 < 3 ? "77.125" : "3.0625")}}}""")));
            Assert.DoesNotContain("77.125", JsonSerializer.Serialize(lab.Findings), StringComparison.Ordinal);
            Assert.DoesNotContain("3.0625", JsonSerializer.Serialize(lab.Findings), StringComparison.Ordinal);
            Assert.All(lab.Findings, x => Assert.Equal(("hidden", "hidden"), (x.Evidence.Facts["judge"], x.Evidence.Counterfactual.Comparison)));
            Assert.Equal(condition.Contains("50", StringComparison.Ordinal), lab.Findings.Count > 0);
            foreach (var subject in lab.Table.All)
            {
                Assert.DoesNotContain(BitConverter.DoubleToInt64Bits(77.125), subject.Cells);
                Assert.DoesNotContain(BitConverter.DoubleToInt64Bits(3.0625), subject.Cells);
            }
        }
    }

    [Fact]
    public void Late_readings_whose_times_nobody_believes_change_no_faster_for_coming_together()
    {
        // A clock that was set back to last year, and readings of hours sent at once.
        var live = Enumerable.Range(0, 20).Select(i => Content.At(5 * i, $$"""{"t":{{i}}}""", sequence: i));
        var late = Enumerable.Range(0, 20).Select(i => Content.At(-500_000 + (5 * i), $$"""{"t":{{20 + i}}}""", sent: 200 + (0.01 * i), sequence: 20 + i));
        Assert.Empty(Content.Findings(Lab.Condition("value-rate", "pointer: /t, most: 2, gap: \"06:00:00\""), [.. live, .. late]));
    }

    [Fact]
    public void Stored_readings_that_tell_no_time_change_no_faster_for_coming_together()
    {
        MessageEvent At(double minute, int value) => Content.At(minute, $$"""{"t":{{value}}}""") with { DeviceTime = null };
        var live = Enumerable.Range(0, 20).Select(i => At(5 * i, i));
        var stored = Enumerable.Range(0, 20).Select(i => At(200 + (0.01 * i), 20 + i));
        var rate = Lab.Condition("value-rate", "pointer: /t, most: 2, gap: \"06:00:00\"");
        Assert.Empty(Content.Findings(rate, [.. live, .. stored, At(205, 40)]));
        Assert.Single(Content.Findings(rate, [.. live, .. stored, At(205, 60)]));
    }

    [Fact]
    public void A_door_that_stays_closed_at_night_and_over_the_weekend_is_not_stuck_and_one_that_does_so_for_more_than_a_week_is()
    {
        // Opened for ten minutes, twelve times a day; at night and over the weekend closed.
        var events = new List<MessageEvent>();
        for (var minute = 0; minute < 21 * 1440; minute += 5)
        {
            var (day, hour) = (minute / 1440, minute / 60 % 24);
            var isOpen = day % 7 < 5 && hour is >= 8 and < 20 && minute % 60 < 10;
            events.Add(Content.At(minute, $$"""{"t":{{(isOpen ? 1 : 0)}}}""", sequence: minute));
        }

        var stuck = Lab.Condition("value-stuck", "pointer: /t");
        Assert.Empty(Content.Findings(stuck, events));

        // A contact that broke is found when it is longer closed than three weekends.
        events.AddRange(Enumerable.Range(21 * 288, 10 * 288).Select(i => Content.At(5 * i, """{"t":0}""", sequence: 5 * i)));
        Assert.Equal("2.12:45:00", Assert.Single(Content.Findings(stuck, events)).Evidence.Facts["usual"]);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(40)]
    public void An_update_that_brings_many_places_in_several_kinds_of_messages_is_one_finding_and_over_soon(int places)
    {
        const string Usual = """{"t":21.5,"unit":"C"}""";
        var condition = Lab.Condition("shape", "messages: 20, learn: \"1.00:00:00\"", "repeatAfter: \"06:00:00\"");
        string Updated(int kind) => "{\"t\":1," + string.Join(",", Enumerable.Range(0, places).Select(i => $"\"k{kind}n{i}\":1")) + "}";
        var before = Enumerable.Range(0, 300).Select(i => Content.At(5 * i, Usual, sequence: i));
        var after = Enumerable.Range(300, 2000).Select(i => Content.At(5 * i, i % 4 < 2 ? Updated(i % 12 / 4) : Usual, sequence: i));
        var events = before.Concat(after).ToList();
        Assert.Single(Content.Findings(condition, events));
        var lab = new Lab($"[{condition}]");
        lab.Run(events);
        Assert.DoesNotContain(lab.Table.All, s => s.IsRaised);
    }

    [Fact]
    public void No_kind_throws_or_allocates_whatever_the_bytes_are()
    {
        const string Schema = """schema: '{"type":"object","required":["a"],"additionalProperties":{"maxItems":9},"properties":{"a":{"type":["number","string"],"maxLength":99,"pattern":"^[a-z0-9]*$"},"b":{"items":{"enum":[1,"x"]}}}}'""";
        var kinds = new[]
        {
            Lab.Condition("value", "pointer: /a/b, most: 1"), Lab.Condition("value", "pointer: /a, sides: both", "judge: learnt"), Lab.Condition("value-rate", "pointer: /b, most: 1"),
            Lab.Condition("value-stuck", "pointer: /a"), Lab.Condition("file-type", "pointer: /file, type: /a, content: /b, allowed: [jpg, \"image/*\"]"), Lab.Condition("schema", Schema),
            Lab.Condition("shape", "messages: 10, learn: \"00:00:00\", most: 32"),
        };
        foreach (var kind in kinds)
        {
            // With a stretch of its own for each message, as one at a time.
            var lab = new Lab($"[{kind}]");
            var at = 0;
            foreach (var bytes in Hostile(Fuzz.Source(7), Fuzz.Rounds(600)))
            {
                lab.Run(Content.At(at++, "{}") with { Payload = bytes, Transient = at % 3 == 0 ? bytes : default });
            }

            var condition = lab.Book.For("field").Device.Conditions[^1].Judged.Condition;
            var state = new long[condition.Cells];
            var usual = """{"a":{"b":21.5},"b":[1,"x",{"c":"\u00e9\ud83d\ude00"}],"file":["a.jpg","b.exe"],"k":{"l":[true,null,"text"]}}"""u8.ToArray();
            long allocated = 0;
            for (var i = 0; i < 200; i++)
            {
                usual[11] = (byte)('0' + (i % 10));
                var message = Content.At(5 * i, "{}") with { Payload = usual };
                var signal = new Signal
                {
                    Kind = SignalKind.Message,
                    At = message.ArrivedAt.ToUnixTimeMilliseconds(),
                    EventAt = message.ArrivedAt.ToUnixTimeMilliseconds(),
                    Position = i + 1,
                    Downtime = 0,
                    IsClean = true,
                    Happened = message,
                };
                var before = GC.GetAllocatedBytesForCurrentThread();
                condition.Step(state, signal);
                allocated = i < 100 ? 0 : allocated + GC.GetAllocatedBytesForCurrentThread() - before;
            }

            Assert.True(allocated == 0, $"{kind}: {allocated} bytes");
        }
    }

    // Anything but well-behaved JSON, and some of that.
    private static IEnumerable<byte[]> Hostile(Random random, int count)
    {
        string[] pieces =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\"a\":", "\"file\":\"x.exe\"", "\"\\ud800\"", "\"\\u0061\":", "1e999", "-0", "0.1e-400", "true", "null", " ", "\n", "/", "\\", "\"b\":{",
            "99999999999999999999999999999999999999",
        ];
        string[] whole =
        [
            "", "{\"a\":", string.Concat(Enumerable.Repeat("{\"a\":", 100_000)), string.Concat(Enumerable.Repeat("[", 900)) + new string(']', 900),
            string.Concat(Enumerable.Repeat("{\"a\":", 250)) + "1" + new string('}', 250), $"{{\"a\":{new string('9', 200_000)}}}", $"{{\"a\":1{new string('0', 200_000)}e-200000,\"b\":-1e{new string('9', 10_000)}}}",
            $"{{\"a\":\"{string.Concat(Enumerable.Repeat("\\u0061", 40_000))}.exe\",\"{new string('n', 100_000)}\":1}}",
            "{" + string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"k{i}\":{i}")) + "}", "{" + string.Join(',', Enumerable.Repeat("\"a\":{\"b\":[1,\"x\"]}", 5_000)) + "}",
            "{\"file\":[" + string.Join(',', Enumerable.Repeat("\"a.b.c.exe\"", 20_000)) + "]}", "{\"\\ud800\":1,\"a\":\"\\udfff.exe\",\"b\":[\"\\ud800\"]}",
        ];
        foreach (var text in whole)
        {
            yield return System.Text.Encoding.UTF8.GetBytes(text);
        }

        yield return [(byte)'{', (byte)'"', 0xC3, 0x28, (byte)'"', (byte)':', (byte)'"', 0xFF, 0xFE, (byte)'"', (byte)'}'];
        for (var i = 0; i < count; i++)
        {
            if (i % 3 == 0)
            {
                var bytes = new byte[random.Next(200)];
                random.NextBytes(bytes);
                yield return bytes;
            }
            else
            {
                yield return System.Text.Encoding.UTF8.GetBytes((i % 3 == 1 ? "{" : "") + string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => pieces[random.Next(pieces.Length)])));
            }
        }
    }
}
