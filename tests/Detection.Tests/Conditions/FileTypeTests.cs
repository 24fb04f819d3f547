using System.Text;
using System.Text.Json;
using Sekisho.Detection.Conditions.Files;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Conditions;

public class FileTypeTests
{
    private static readonly byte[] Program = [0x4D, 0x5A, 0x90, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0xB8, 0, 0, 0];
    private static readonly byte[] Picture = [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 0x4A, 0x46, 0x49, 0x46, 0, 1, 1, 1, 0, 72, 0, 72, 0, 0];

    private static readonly string Usual = Lab.Condition("file-type", "pointer: /file, content: /data");
    private static readonly string Pictures = Lab.Condition("file-type", "pointer: /file, allowed: [JPG, .png]");

    [Theory]
    [InlineData("photo.jpg", null)]
    [InlineData("report.final.pdf", null)]
    [InlineData("archive.tar.gz", null)]
    [InlineData("no extension", null)]
    [InlineData("", null)]
    [InlineData("exe", null)]
    [InlineData("setup.exe/readme.txt", null)]
    [InlineData("setup.exe", "denied")]
    [InlineData("SETUP.EXE", "denied")]
    [InlineData("C:\\temp\\setup.exe", "denied")]
    [InlineData("a.b/setup.sh", "denied")]
    [InlineData("setup.exe. . ", "denied")]
    [InlineData("setup.exe::$DATA", "denied")]
    [InlineData("archive.tar.exe", "denied")]
    [InlineData("写真.exe", "denied")]
    [InlineData("photo.jpg.exe", "disguised")]
    [InlineData("photo.JPG       .exe", "disguised")]
    [InlineData("請求書.docx.js", "disguised")]
    [InlineData("photo\u202Egpj.exe", "disguised")]
    [InlineData("photo\u202Egnp.txt", "disguised")]
    public void A_name_is_found_by_its_last_extension_and_a_disguise_by_the_one_before(string name, string? stage)
    {
        foreach (var json in new[] { $$"""{"file":{{JsonSerializer.Serialize(name)}}}""", $$"""{"file":"{{name.Replace("\\", "\\\\", StringComparison.Ordinal)}}"}""" })
        {
            var findings = Content.Findings(Usual, [Content.At(0, json)]);
            Assert.Equal(stage, findings.SingleOrDefault()?.Stage);
        }
    }

    [Theory]
    [InlineData("""{"type":"image/png"}""", null, null)]
    [InlineData("""{"type":"IMAGE/JPEG; q=1"}""", null, null)]
    [InlineData("""{"type":" text\/plain;charset=utf-8"}""", null, null)]
    [InlineData("""{"type":"image/svg+xml"}""", "denied", "image/svg+xml")]
    [InlineData("""{"type":"application/x-msdownload"}""", "not-allowed", "application/x-msdownload")]
    [InlineData("""{"type":"image"}""", "not-allowed", "image")]
    [InlineData("""{"type":"text/plainer"}""", "not-allowed", "text/plainer")]
    [InlineData("""{"type":"x/\ud800\u0007あ"}""", "not-allowed", "x/???")]
    [InlineData("""{"type":"","file":"a.jpg"}""", null, null)]
    [InlineData("""{"type":5}""", null, null)]
    [InlineData("""{"type":"image/png","file":"a.exe"}""", "denied", "exe")]
    [InlineData("""{"type":"image/png","file":"a.odd"}""", null, null)]
    [InlineData("""{"type":"application/zip","file":"a.jpg.exe"}""", "disguised", "exe")]
    [InlineData("""{"type":"application/zip","file":"a.jpg"}""", "not-allowed", "application/zip")]
    public void A_declared_type_is_held_against_the_entries_with_a_slash(string json, string? stage, string? claim)
    {
        var finding = Content.Findings(Lab.Condition("file-type", "pointer: /file, type: /type, allowed: [\"image/*\", Text/Plain], denied: [exe, image/svg+xml]"), [Content.At(0, json)]).SingleOrDefault();
        Assert.Equal((stage, claim), (finding?.Stage, finding?.Evidence.Claim));
        Assert.Equal(claim is not null && claim != "exe" ? "/type" : claim is null ? null : "/file", finding?.Evidence.Facts["pointer"]);
    }

    [Fact]
    public void A_program_that_is_declared_as_a_picture_is_found_without_a_name()
    {
        var json = $$"""{"type":"image/png","data":"{{Convert.ToBase64String(Program)}}"}""";
        var condition = Lab.Condition("file-type", "pointer: /file, type: /type, content: /data");
        Assert.Equal(("contradiction", "image/png"), (Assert.Single(Content.Findings(condition, [Content.At(0, json)])).Stage, Content.Findings(condition, [Content.At(0, json)])[0].Evidence.Claim));
        Assert.Empty(Content.Findings(condition, [Content.At(0, json.Replace("image/png", "application/octet-stream", StringComparison.Ordinal))]));
    }

    [Fact]
    public void The_claim_is_the_extension_as_an_exception_would_name_it()
    {
        var evidence = Assert.Single(Content.Findings(Usual, [Content.At(0, """{"file":"secret name.Exe"}""")])).Evidence;
        Assert.Equal(("exe", "exe", "/file", "excludes"), (evidence.Claim, evidence.Facts["extension"], evidence.Facts["pointer"], evidence.Counterfactual.Comparison));
        Assert.DoesNotContain("secret", JsonSerializer.Serialize(evidence), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.jpg", null, null)]
    [InlineData("a.PNG", null, null)]
    [InlineData("a.gif", "not-allowed", "gif")]
    [InlineData("a", "not-allowed", "none")]
    [InlineData("a.写真", "not-allowed", "other")]
    [InlineData("a.abcdefghijklmnopq", "not-allowed", "other")]
    [InlineData("a.abcdefghijklmnop", "not-allowed", "abcdefghijklmnop")]
    [InlineData("a.exe", "denied", "exe")]
    public void What_is_not_allowed_is_found(string name, string? stage, string? claim)
    {
        var finding = Content.Findings(Pictures, [Content.At(0, $$"""{"file":"{{name}}"}""")]).SingleOrDefault();
        Assert.Equal((stage, claim), (finding?.Stage, finding?.Evidence.Claim));
    }

    [Fact]
    public void What_is_denied_stays_so_and_another_list_denies_other_things()
    {
        var own = Lab.Condition("file-type", "pointer: /file, allowed: [exe, iso], denied: [iso]");
        var findings = Content.Findings(own, [Content.At(0, """{"file":"a.exe"}"""), Content.At(5, """{"file":"a.jpg.exe"}"""), Content.At(10, """{"file":"a.iso"}""")]);
        Assert.Equal(["iso"], findings.Select(f => f.Evidence.Claim));
    }

    [Fact]
    public void Of_several_names_the_worst_counts()
    {
        var findings = Content.Findings(Usual, [Content.At(0, """{"file":["a.jpg","b.exe",3,null,{"c":"d.pdf.exe"},["e.pdf.exe"],"f.txt.scr","g.bat"]}""")]);
        Assert.Equal(("disguised", "scr"), (Assert.Single(findings).Stage, findings[0].Evidence.Claim));
    }

    [Fact]
    public void Content_that_contradicts_the_name_is_found()
    {
        Assert.Empty(Found("photo.jpg", Picture));
        Assert.Empty(Found("photo.jpg", []));
        Assert.Empty(Found("sheet.xlsx", "PK\u0003\u0004"u8.ToArray()));
        Assert.Empty(Found("notes.txt", "MZ is how this text begins, and nothing else."u8.ToArray()));
        Assert.Equal(("contradiction", "jpg", "PE/MZ"), Found("photo.jpg", Program).Select(f => (f.Stage, f.Claim, f.Begins)).Single());
        Assert.Equal("ELF", Found("photo.png", [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0]).Single().Begins);
        Assert.Equal("ZIP", Found("photo.png", "PK\u0003\u0004abcd"u8.ToArray()).Single().Begins);
        Assert.Equal("script", Found("notes.txt", "#!/bin/sh\nrm -rf /"u8.ToArray()).Single().Begins);
        Assert.Equal("RAR/7z/gzip", Found("clip.mp4", [0x1F, 0x8B, 8, 0, 0, 0]).Single().Begins);
    }

    [Fact]
    public void Content_is_read_in_every_form_it_is_written_in()
    {
        var base64 = Convert.ToBase64String(Program);
        var elf = Convert.ToBase64String([0x7F, 0x45, 0x4C, 0x46, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF]);
        Assert.Contains('/', elf);
        string[] forms =
        [
            base64, "data:image/jpeg;base64," + base64, string.Concat(base64.Select(c => $"\\u{(int)c:x4}")), base64.Insert(8, "\\r\\n"), " " + base64.TrimEnd('='),
            elf, elf.Replace("/", "\\/", StringComparison.Ordinal), elf.Replace('/', '_'), "#!/usr/bin/env python\\nimport os", "<?php system('id');",
        ];
        Assert.All(forms, f => Assert.Equal("contradiction", Assert.Single(Content.Findings(Usual, [Content.At(0, $$"""{"file":"a.jpg","data":"{{f}}"}""")])).Stage));

        // Without a name the declared type counts.
        Assert.Single(Content.Findings(Usual, [Content.At(0, $$"""{"data":"data:image/png;base64,{{base64}}"}""")]));
        Assert.Empty(Content.Findings(Usual, [Content.At(0, $$"""{"data":"{{base64}}"}""")]));
    }

    [Fact]
    public void What_carries_no_file_says_nothing_and_a_higher_stage_is_raised_at_once()
    {
        Assert.Empty(Content.Findings(Pictures, [Content.At(0, "{}"), Content.At(1, """{"file":7}"""), Content.At(2, """{"file":{"name":"a.exe"}}"""), Content.At(3, """{"file":[]}"""), Content.At(4, "")]));
        var findings = Content.Findings(Usual, [Content.At(0, """{"file":"a.exe"}"""), Content.At(1, "{}"), Content.At(2, """{"file":"a.exe"}"""), Content.At(3, """{"file":"a.jpg.exe"}""")]);
        Assert.Equal(["denied", "disguised"], findings.Select(f => f.Stage));
    }

    [Fact]
    public void Stored_files_and_transient_names_are_judged_like_others()
    {
        var findings = Content.Findings(Usual, [Content.At(0, "{}", sequence: 1), Content.At(300, "{}", sequence: 9), Content.At(100, "{}", sent: 301, transient: """{"/file":"a.exe"}""", sequence: 2)]);
        Assert.Equal("denied", Assert.Single(findings).Stage);
    }

    [Fact]
    public void A_very_long_name_is_judged_by_its_end()
    {
        Assert.Equal("disguised", Assert.Single(Content.Findings(Usual, [Content.At(0, $$"""{"file":"{{new string('あ', 50_000)}}.jpg.exe"}""")])).Stage);
        Assert.Equal("disguised", Assert.Single(Content.Findings(Usual, [Content.At(0, $$"""{"file":"photo.jpg{{new string(' ', 500)}}.exe"}""")])).Stage);
    }

    [Fact]
    public void Names_and_contents_of_any_bytes_do_no_harm()
    {
        var random = Fuzz.Source(81);
        const string Bits = "\\u005c/.:$ =+-_,\"exeEXEjpgMZPK\u202e\ud83d\ude00data:image/png;base64,";
        Span<byte> room = stackalloc byte[64];
        for (var i = 0; i < Fuzz.Rounds(20_000); i++)
        {
            var raw = new byte[random.Next(80)];
            random.NextBytes(raw);
            if (i % 2 == 0)
            {
                raw = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => Bits[random.Next(Bits.Length)])));
            }

            var length = JsonText.Unescape(raw, room[..random.Next(64)]);
            FileName.Of(room[..length]);
            FileName.Of(raw);
            FileContents.Of(raw, out _);
        }
    }

    [Fact]
    public void Escapes_are_resolved_as_a_whole_reader_does()
    {
        var random = Fuzz.Source(82);
        Span<byte> room = stackalloc byte[1024];
        string[] parts = ["a", "\\n", "\\\\", "\\\"", "\\/", "\\u0041", "\\u00e9", "\\u3042", "\\ud83d\\ude00", "é", "😀", "\\t"];
        for (var i = 0; i < Fuzz.Rounds(2_000); i++)
        {
            var raw = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => parts[random.Next(parts.Length)]));
            var length = JsonText.Unescape(Encoding.UTF8.GetBytes(raw), room);
            Assert.Equal(JsonSerializer.Deserialize<string>($"\"{raw}\""), Encoding.UTF8.GetString(room[..length]));
        }
    }

    private static IEnumerable<(string Stage, string Claim, string Begins)> Found(string name, byte[] content) =>
        Content.Findings(Usual, [Content.At(0, $$"""{"file":"{{name}}","data":"{{Convert.ToBase64String(content)}}"}""")]).Select(f => (f.Stage!, f.Evidence.Claim!, f.Evidence.Facts["begins"]));
}
