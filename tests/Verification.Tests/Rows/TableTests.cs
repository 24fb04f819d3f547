using Sekisho.Verification.Rows;

namespace Sekisho.Verification.Tests.Rows;

public class TableTests
{
    [Fact]
    public void The_table_has_all_31_rows_and_five_causes_in_both_languages()
    {
        var table = Table.Published;
        Assert.Equal(Enumerable.Range(1, 31).Select(i => $"V{i:D2}"), table.Rows.Select(r => r.Id));
        Assert.Equal(["F1", "F2", "F3", "F4", "F5"], table.Causes.Select(c => c.Id));
        Assert.All(table.Rows, r => Assert.Equal(Table.Fields.Order(), r.Trial.Keys.Order()));
        BothLanguages[] texts = [.. table.Rows.SelectMany(r => (BothLanguages[])[r.Name, r.Class, r.Risk]), .. table.Causes.SelectMany(c => (BothLanguages[])[c.Name, .. c.Benign, .. c.Attack])];
        Assert.All(texts, t => Assert.True(t.Ja.Length > 0 && t.En.Length > 0 && t.Ja != t.En));
    }

    [Fact]
    public void Every_row_up_to_V26_and_every_twin_of_F1_to_F4_is_played_in_each_field_of_the_trial_and_the_rest_is_not_built()
    {
        var cells = Cell.Of(Table.Published, []);
        Assert.All(cells, c => Assert.Equal(string.CompareOrdinal(c.Id, "V27") < 0 && c.Id != "F5", c.Play is not null));
        Assert.Equal(["car-mobility"], cells.Where(c => c.Id == "V12").Select(c => c.Field));
        Assert.Equal(["smart-home", "education"], cells.Where(c => c is { Id: "F4", Case: Cases.Benign }).Select(c => c.Field));
        Assert.Equal(7, cells.Count(c => c.Id == "F1"));
        Assert.Equal(cells.Count, cells.Select(c => c.FieldId).Distinct().Count());
        Assert.All(cells, c => Assert.InRange(c.FieldId.Length, 2, 40));
    }

    [Fact]
    public void Every_play_has_a_place_in_the_table()
    {
        var cells = Cell.Of(Table.Published, []);
        Assert.All(Play.All, p => Assert.Contains(cells, c => c.Play == p));
    }

    [Fact]
    public void A_choice_of_rows_and_causes_leaves_the_rest_out() =>
        Assert.Equal(["V12", "V15", "V15", "F3", "F3", "F3", "F3", "F3", "F3"], Cell.Of(Table.Published, ["V12", "V15", "F3"]).Select(c => c.Id));

    [Theory]
    [InlineData("act", "warning", true)]
    [InlineData("act", "information", false)]
    [InlineData("shadow", "critical", false)]
    public void Only_what_is_in_force_and_more_than_information_alarms_anybody(string effect, string level, bool alarms)
    {
        var alert = new Alert("frequency", "frequency-engine-on", null, "takeover", level, effect, "d1", DateTimeOffset.UnixEpoch, "…", null);
        Assert.Equal(alarms, alert.Alarms);
        Assert.Equal(alarms, new Claim(["frequency"], ["takeover"]).Fits(alert));
        Assert.False(new Claim(["silence"], ["takeover"]).Fits(alert));
        Assert.False(new Claim(["frequency"], ["theft"]).Fits(alert));
        Assert.False(new Claim(["frequency"], ["takeover"], DeviceId: "d2").Fits(alert));
        Assert.Equal(effect == "act", new Claim(["frequency"], ["takeover"], IsInformation: true).Fits(alert));
    }
}
