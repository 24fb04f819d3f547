using Sekisho.Detection.Findings;
using Sekisho.Detection.Lanes;
using Sekisho.Storage.Keys;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Lanes;

public sealed class DeltaCodecTests : IDisposable
{
    private const string Golden =
        "01040c64657669636500010a6669656c640464310601020302046432050c64657669636500010a6f74686572046433000204040c736f7572636500008001323632"
        + "3266643032303233363930376465326631616637303666663535653537656138663862323037663634643666393164656430623662316335623336666202050408"
        + "757365720a6669656c64010a6669656c6412e588a9e794a8e880850206";

    private static readonly ChangedState[] Changes =
    [
        new(new SubjectId("device", null, "d1"), "field", 26, ChangeKind.Part, new byte[] { 1, 2, 3 }),
        new(new SubjectId("device", null, "d2"), "field", 49, ChangeKind.Removed, default),
        new(new SubjectId("device", null, "d3"), "other", 3, ChangeKind.Whole, new byte[] { 4 }),
        new(new SubjectId("source", null, "192.0.2.1"), null, 5, ChangeKind.Part, new byte[] { 5 }),
        new(new SubjectId("user", "field", "利用者"), "field", 19, ChangeKind.Part, new byte[] { 6 }),
    ];

    private readonly SubjectKeys _keys = new(new MasterKey(new byte[MasterKey.Size]));

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void The_encoding_is_the_one_that_older_stores_hold() =>
        Assert.Equal(Golden, Convert.ToHexStringLower(Assert.Single(new DeltaCodec(_keys).Encode(Changes)).Span));

    [Fact]
    public void What_was_encoded_comes_back_in_order() =>
        Assert.Equal(Changes.Select(Text), Decode(Convert.FromHexString(Golden)).Select(Text));

    [Fact]
    public void The_address_of_a_source_stands_in_a_row_hashed_and_encrypted_only()
    {
        ChangedState source = new(new SubjectId("source", null, "192.0.2.1"), null, 5, ChangeKind.Whole, new byte[] { 5 });
        var row = Assert.Single(new DeltaCodec(_keys).Encode([source]));
        Assert.Equal(-1, row.Span.IndexOf("192.0.2.1"u8));
        var back = Assert.Single(Decode(row.Span));
        Assert.Equal("192.0.2.1", _keys.Read(back.Id.Subject, back.Key));
    }

    [Fact]
    public void Rows_stay_within_their_bound_and_lose_nothing()
    {
        var random = new Random(5);
        var changes = Enumerable.Range(0, 3000)
            .Select(i => new ChangedState(new SubjectId("device", null, $"d{i}"), $"f{i / 700}", 0, ChangeKind.Part, new byte[random.Next(2000)]))
            .ToList();
        var rows = new DeltaCodec(_keys).Encode(changes);
        Assert.True(rows.Count > 2);
        Assert.All(rows, r => Assert.InRange(r.Length, 1, DeltaCodec.MostBytes + 100));
        Assert.Equal(changes.Select(Text), rows.SelectMany(r => Decode(r.Span)).Select(Text));
    }

    [Fact]
    public void Damaged_rows_are_refused_by_name_and_never_crash()
    {
        var random = Fuzz.Source(6);
        var rounds = Fuzz.Rounds(20_000);
        for (var i = 0; i < rounds; i++)
        {
            try
            {
                Decode(Damage.Of(Convert.FromHexString(Golden), random));
            }
            catch (InvalidDataException)
            {
                continue;
            }
        }
    }

    private static List<StoredDelta> Decode(ReadOnlySpan<byte> row)
    {
        var entries = new List<StoredDelta>();
        DeltaCodec.Decode(row, entries.Add);
        return entries;
    }

    private static string Text(StoredDelta delta) => $"{delta.Id} {delta.FieldId} {delta.Kind} {Convert.ToHexString(delta.State)}";

    private string Text(ChangedState change) =>
        $"{new StoredId(change.Id.Scope, SubjectKeys.AreaOf(change.Id), _keys.SubjectOf(change.Id))} {change.FieldId} {change.Kind} {Convert.ToHexString(change.State.Span)}";
}
