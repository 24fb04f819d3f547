using Sekisho.Operations.OperatorAudit;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations.Tests;

public class AuditChainTests
{
    private static readonly AuditHasher Hasher = new(new MasterKey(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));

    [Fact]
    public void An_untouched_log_is_intact()
    {
        var (rows, head) = Log(10);
        var verdict = AuditChain.Verify(Hasher, rows, head);
        Assert.True(verdict.Intact);
        Assert.Equal(10, verdict.Rows);
        Assert.Equal(Convert.ToHexStringLower(rows[^1].Hash), verdict.LastHash);
        Assert.True(AuditChain.Verify(Hasher, [], Log(0).Head).Intact);
    }

    [Fact]
    public void The_hash_of_an_entry_never_changes_between_versions() =>
        Assert.Equal(Golden, Convert.ToHexStringLower(Log(1).Rows[0].Hash));

    [Fact]
    public void Every_changed_property_of_every_entry_is_noticed()
    {
        var (rows, head) = Log(5);
        var changes = new Func<AuditRow, AuditRow>[]
        {
            r => r with { At = r.At + 1 },
            r => r with { Actor = r.Actor + "x" },
            r => r with { Action = "device.removf" },
            r => r with { FieldId = r.FieldId is null ? "" : null },
            r => r with { Target = "" },
            r => r with { Outcome = "failed" },
            r => r with { CorrelationId = "0" },
            r => r with { Actor = r.Actor[..^1], Action = r.Actor[^1] + r.Action },
        };
        for (var i = 0; i < rows.Count; i++)
        {
            foreach (var change in changes)
            {
                var verdict = AuditChain.Verify(Hasher, Replace(rows, i, change(rows[i])), head);
                Assert.Contains(new AuditFault("changed", i + 1), verdict.Faults);
            }
        }
    }

    [Fact]
    public void Who_has_no_key_cannot_mend_the_chain_after_a_change()
    {
        var (rows, head) = Log(5);
        var forger = new AuditHasher(new MasterKey(new byte[32]));
        var forged = new List<AuditRow>();
        foreach (var row in rows)
        {
            var next = row with { Actor = row.Id == 3 ? "innocent" : row.Actor, PreviousHash = forged.Count == 0 ? AuditHasher.Start : forged[^1].Hash };
            forged.Add(next with { Hash = forger.Of(next) });
        }

        var end = forged[^1];
        Assert.False(AuditChain.Verify(Hasher, forged, head).Intact);
        Assert.False(AuditChain.Verify(Hasher, forged, new AuditHead { LastId = 5, LastHash = end.Hash, Seal = forger.Seal(5, end.Hash) }).Intact);
    }

    [Fact]
    public void Deletion_reordering_and_addition_are_noticed_where_they_are()
    {
        var (rows, head) = Log(6);
        Assert.Equal([new AuditFault("missing", 3)], AuditChain.Verify(Hasher, rows.Where(r => r.Id != 3), head).Faults);
        Assert.Equal([new AuditFault("missing", 1)], AuditChain.Verify(Hasher, rows.Where(r => r.Id > 2), head).Faults);
        Assert.Contains(AuditChain.Verify(Hasher, [rows[0], rows[2], rows[1], .. rows.Skip(3)], head).Faults, f => f.Kind == "order");

        // The same contents under each other's numbers.
        var swapped = Replace(Replace(rows, 1, rows[2] with { Id = 2 }), 2, rows[1] with { Id = 3 });
        Assert.Contains(new AuditFault("changed", 2), AuditChain.Verify(Hasher, swapped, head).Faults);
        Assert.Contains(AuditChain.Verify(Hasher, [.. rows, rows[5] with { Id = 7 }], head).Faults, f => f == new AuditFault("added", 7));
        Assert.Contains(AuditChain.Verify(Hasher, [.. rows.Take(3), rows[2], .. rows.Skip(3)], head).Faults, f => f.Kind == "order");
    }

    [Fact]
    public void A_cut_off_end_is_noticed_even_when_the_head_is_moved_back_or_removed()
    {
        var (rows, head) = Log(6);
        var cut = rows.Take(4).ToList();
        Assert.Equal([new AuditFault("truncated", 5)], AuditChain.Verify(Hasher, cut, head).Faults);
        Assert.Equal([new AuditFault("head-changed", 4)], AuditChain.Verify(Hasher, cut, head with { LastId = 4, LastHash = cut[^1].Hash }).Faults);
        Assert.Equal([new AuditFault("head-missing", 4)], AuditChain.Verify(Hasher, cut, null).Faults);
        Assert.Equal([new AuditFault("truncated", 1)], AuditChain.Verify(Hasher, [], head).Faults);
    }

    [Fact]
    public void A_log_of_faults_lists_the_first_of_them_only()
    {
        var (rows, head) = Log(500);
        Assert.Equal(AuditVerdict.MostFaults, AuditChain.Verify(Hasher, rows.Select(r => r with { Actor = "x" }), head).Faults.Count);
    }

    private const string Golden = "be5f34694e23ba4dc7ae1270228de8df3460021b54e05271c30f4ad38b3b9d63";

    private static List<AuditRow> Replace(List<AuditRow> rows, int index, AuditRow row) => [.. rows.Take(index), row, .. rows.Skip(index + 1)];

    private static (List<AuditRow> Rows, AuditHead Head) Log(int count)
    {
        var rows = new List<AuditRow>();
        for (var i = 1; i <= count; i++)
        {
            var row = new AuditRow
            {
                Id = i,
                At = 1_775_000_000_000 + i,
                Actor = "花子",
                Action = "device.remove",
                FieldId = i % 2 == 0 ? "cars" : null,
                Target = "deviceId=d" + i,
                Outcome = "asked",
                CorrelationId = "0123456789abcdef0123456789abcdef",
                PreviousHash = rows.Count == 0 ? AuditHasher.Start : rows[^1].Hash,
            };
            rows.Add(row with { Hash = Hasher.Of(row) });
        }

        var last = rows.Count == 0 ? AuditHasher.Start : rows[^1].Hash;
        return (rows, new AuditHead { LastId = count, LastHash = last, Seal = Hasher.Seal(count, last) });
    }
}
