using System.Xml.Linq;

namespace Sekisho.Architecture.Tests;

/// <summary>The arrows between projects; see house-rules, "The tree is the architecture".</summary>
public class ReferenceTests
{
    private static readonly string[] StageSeams = ["Domain", "Storage", "Api"];
    private static readonly string[] Stages = ["Devices", "Distribution", "Detection", "Behaviour", "Response", "Updates", "History", "Operations"];

    /// <summary>What a project may reference. A project that is not in this list has no place in the architecture yet.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Domain"] = [],
        ["Wire"] = [],
        ["Storage"] = ["Domain"],
        ["Api"] = ["Domain"],
        ["Scripting"] = ["Domain"],
        ["Traffic"] = ["Wire"],
        ["Verification"] = ["Domain", "Wire"],
        ["Devices"] = StageSeams,
        ["History"] = StageSeams,
        ["Operations"] = StageSeams,
        ["Detection"] = [.. StageSeams, "Scripting"],
        ["Response"] = [.. StageSeams, "Scripting"],
        ["Distribution"] = [.. StageSeams, "Wire"],
        ["Behaviour"] = [.. StageSeams, "Wire"],
        ["Updates"] = [.. StageSeams, "Wire", "Scripting"],
        ["Console"] = [.. Stages, .. StageSeams],
        ["Gateway"] = [.. Stages, .. StageSeams, "Wire", "Scripting", "Verification", "Traffic", "Console"],
        ["Sensor"] = ["Traffic", "Wire"],
        ["Agent"] = ["Wire"],
    };

    [Fact]
    public void Projects_reference_only_what_the_arrows_allow()
    {
        var faults = new List<string>();
        foreach (var (name, references) in Projects())
        {
            if (!Allowed.TryGetValue(name, out var allowed))
            {
                faults.Add($"src/{name} is not in the list of projects");
                continue;
            }

            faults.AddRange(references.Except(allowed).Select(r => $"{name} references {r}"));
        }

        Assert.Empty(faults);
    }

    [Fact]
    public void The_list_itself_has_no_stage_that_knows_another()
    {
        foreach (var stage in Stages)
        {
            Assert.Empty(Allowed[stage].Intersect(Stages));
        }
    }

    [Fact]
    public void The_words_and_the_wire_need_no_package()
    {
        foreach (var name in (string[])["Domain", "Wire"])
        {
            var file = $"src/{name}/{name}.csproj";
            if (Tree.Files.Contains(file))
            {
                Assert.Empty(Load(file).Descendants("PackageReference"));
                Assert.Empty(Load(file).Descendants("FrameworkReference"));
            }
        }
    }

    [Fact]
    public void Versions_of_packages_stand_in_one_file_and_every_project_in_the_solution()
    {
        var solution = Tree.Text("Sekisho.slnx");
        var projects = Tree.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal)).ToArray();
        Tree.None(projects.Where(f => !solution.Contains($"\"{f}\"", StringComparison.Ordinal)));
        Tree.None(projects.Where(f => Load(f).Descendants("PackageReference").Any(p => p.Attribute("Version") is not null || p.Attribute("VersionOverride") is not null)));
    }

    [Fact]
    public void Nothing_under_src_knows_the_tests()
    {
        foreach (var (name, references) in Projects())
        {
            Assert.DoesNotContain(references, r => r.EndsWith("Tests", StringComparison.Ordinal) || r == "Support");
            Assert.NotEqual("Support", name);
        }
    }

    private static IEnumerable<(string Name, string[] References)> Projects() =>
        from file in Tree.Files
        where file.StartsWith("src/", StringComparison.Ordinal) && file.EndsWith(".csproj", StringComparison.Ordinal)
        select (Path.GetFileNameWithoutExtension(file), Load(file).Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/'))).ToArray());

    private static XDocument Load(string file) => XDocument.Load(Path.Combine(Tree.Root, file));
}
