using Sekisho.Detection.Templates;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Lanes;

public class AddressTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "templates");

    public static TheoryData<string> Templates => [.. TemplateCatalog.Load(Folder, new TemplateReader(DetectionFeature.Kinds)).All.Select(t => t.Id)];

    [Theory]
    [MemberData(nameof(Templates))]
    public void No_state_holds_an_address_or_the_begin_of_one(string id)
    {
        var lab = new Lab(TemplateCatalog.Load(Folder, new TemplateReader(DetectionFeature.Kinds)).Find(id)!);
        for (var i = 0; i < 200; i++)
        {
            var (at, source) = (Lab.Start.AddMinutes(7 * i), i % 5 == 0 ? "203.0.113.77" : "198.51.100.99");
            lab.Run(
                Lab.Sim(at, address: "198.51.100.99"),
                Lab.Authentication(at, source: source, client: "unit/1.0", user: "u1"),
                Lab.Message(at.AddSeconds(1), time: at, sequence: i, source: source),
                Lab.Message(at.AddSeconds(2), time: at, sequence: Math.Max(0, i - 2), source: source),
                Lab.Refusal(at.AddSeconds(3), RefusalReasons.WrongSecret, source: source));
        }

        foreach (var cell in lab.Table.All.SelectMany(s => s.Cells))
        {
            foreach (var address in (uint[])[0xCB00714D, 0xC6336463])
            {
                Assert.NotEqual(address, unchecked((uint)cell));
                Assert.NotEqual(address & 0xFFFFFF00, unchecked((uint)cell));
                Assert.NotEqual(address & 0xFFFF0000, unchecked((uint)cell));
            }
        }
    }
}
