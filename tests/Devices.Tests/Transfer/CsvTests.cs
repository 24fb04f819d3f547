using System.Text;
using Sekisho.Devices.Transfer;
using Sekisho.Tests.Support;

namespace Sekisho.Devices.Tests.Transfer;

public sealed class CsvTests
{
    [Fact]
    public void Quotes_commas_and_line_breaks_inside_cells_are_read()
    {
        var (rows, broken) = Csv.Read("a,\"b,\"\"c\"\"\r\nd\",\r\n\r\ne,,f\n\"\"", 10);
        Assert.Equal(0, broken);
        Assert.Equal([1, 3], rows.Select(r => r.Number));
        Assert.Equal(["a", "b,\"c\"\r\nd", ""], rows[0].Cells);
        Assert.Equal(["e", "", "f"], rows[1].Cells);
    }

    [Theory]
    [InlineData("a\nb\"c", 2)]
    [InlineData("\"open", 1)]
    [InlineData("\"a\"b\n", 1)]
    [InlineData("a\rb", 1)]
    public void A_quote_in_the_wrong_place_names_its_row(string text, int row) => Assert.Equal(row, Csv.Read(text, 10).BrokenRow);

    [Theory]
    [InlineData("=HYPERLINK(\"http://x\")")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(A1)")]
    [InlineData("'=1")]
    [InlineData("＝1")]
    public void What_a_spreadsheet_would_run_is_made_text_and_comes_back_as_it_was(string cell)
    {
        var csv = new StringBuilder();
        Csv.Append(csv, cell);
        var read = Csv.Read(csv.ToString(), 1).Rows[0].Cells[0];
        Assert.StartsWith("'", read, StringComparison.Ordinal);
        Assert.Equal(cell, Csv.Plain(read));
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        var random = Fuzz.Source(99);
        const string Letters = "ab,\"\r\n'=+-@ か";
        var rounds = Fuzz.Rounds(5_000);
        for (var i = 0; i < rounds; i++)
        {
            var rows = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Enumerable.Range(0, 3)
                .Select(_ => new string([.. Enumerable.Range(0, random.Next(6)).Select(_ => Letters[random.Next(Letters.Length)])])).ToArray()).ToList();
            var csv = new StringBuilder();
            rows.ForEach(r => Csv.Append(csv, r));
            var (read, broken) = Csv.Read(csv.ToString(), 10);
            Assert.Equal(0, broken);
            Assert.Equal(rows, read.Select(r => r.Cells.Select(Csv.Plain).ToArray()));
        }
    }

    [Fact]
    public void No_text_breaks_the_readers()
    {
        var random = Fuzz.Source(7);
        var good = Encoding.UTF8.GetBytes("uniqueIdType,uniqueId,name,kind,cadence,intervalSeconds\r\nserial,\"S,1\",\"あ\"\"\",sensor,interval,60\r\nmac,A0B1C2D3E4F5,x,sensor,,\r\n");
        var rounds = Fuzz.Rounds(10_000);
        for (var i = 0; i < rounds; i++)
        {
            var bytes = good.AsSpan(0, random.Next(good.Length + 1)).ToArray();
            for (var n = random.Next(5); n > 0 && bytes.Length > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)'"' : (byte)random.Next(256);
            }

            var (rows, broken) = ImportTable.Read(bytes);
            Assert.All(rows.Where(r => r.Device is null), r => Assert.Contains(broken, b => b.Place == ImportTable.Row(r.Number)));
        }
    }
}
