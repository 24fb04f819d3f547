using System.Security.Cryptography;
using Dapper;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations.OperatorAudit;

/// <summary>Verifies the operator audit, on a running gateway or on a stopped one's data.</summary>
public static class AuditChain
{
    internal const string Columns =
        "id AS Id, at AS At, actor AS Actor, action AS Action, field_id AS FieldId, target AS Target, outcome AS Outcome, correlation_id AS CorrelationId, previous_hash AS PreviousHash, hash AS Hash";

    internal const string HeadQuery = "SELECT last_id AS LastId, last_hash AS LastHash, seal AS Seal FROM operator_audit_head WHERE id = 1";

    /// <summary>Entry that the gateway itself writes when it finds no head although there are accounts: the end may have been cut off before it.</summary>
    internal const string HeadLost = "audit.head-lost";

    private const int PageSize = 1000;

    /// <summary>Reads the whole log and checks it.</summary>
    /// <param name="databases">The gateway's databases.</param>
    /// <param name="key">Its master key.</param>
    public static async Task<AuditVerdict> VerifyAsync(Databases databases, MasterKey key)
    {
        ArgumentNullException.ThrowIfNull(databases);
        ArgumentNullException.ThrowIfNull(key);
        var state = databases.State;
        var head = await state.ReadAsync(c => c.QuerySingleOrDefaultAsync<AuditHead>(HeadQuery)).ConfigureAwait(false);
        var check = new Check(new AuditHasher(key), head);
        var last = long.MinValue;
        while (true)
        {
            var page = (await state.ReadAsync(c => c.QueryAsync<AuditRow>(
                $"SELECT {Columns} FROM operator_audit WHERE id > @last AND id <= @end ORDER BY id LIMIT {PageSize}",
                new { last, end = head?.LastId ?? long.MaxValue })).ConfigureAwait(false)).AsList();
            foreach (var row in page)
            {
                check.Next(row);
            }

            if (page.Count < PageSize)
            {
                break;
            }

            last = page[^1].Id;
        }

        // One statement sees entries and head of the same moment, so that what is written meanwhile is no fault.
        var beyond = await state.ReadAsync(c => c.QueryFirstOrDefaultAsync<long?>(
            "SELECT MIN(id) FROM operator_audit WHERE id > (SELECT last_id FROM operator_audit_head WHERE id = 1)")).ConfigureAwait(false);
        return check.Verdict(beyond);
    }

    /// <summary>The same over rows in hand, in the order they are stored. Pure.</summary>
    internal static AuditVerdict Verify(AuditHasher hasher, IEnumerable<AuditRow> rows, AuditHead? head)
    {
        var check = new Check(hasher, head);
        long? beyond = null;
        foreach (var row in rows)
        {
            if (row.Id > (head?.LastId ?? long.MaxValue))
            {
                beyond ??= row.Id;
                continue;
            }

            check.Next(row);
        }

        return check.Verdict(beyond);
    }

    /// <summary>Walks the chain. One thread at a time.</summary>
    private sealed class Check(AuditHasher hasher, AuditHead? head)
    {
        private readonly List<AuditFault> _faults = [];
        private long _rows;
        private long _lastId;
        private byte[] _lastHash = AuditHasher.Start;

        public void Next(AuditRow row)
        {
            _rows++;
            if (row.Id <= _lastId)
            {
                Fault("order", row.Id);
            }
            else if (row.Id > _lastId + 1)
            {
                Fault("missing", _lastId + 1);
            }
            else if (!Same(row.PreviousHash, _lastHash))
            {
                Fault("order", row.Id);
            }

            if (!Same(row.Hash, hasher.Of(row)))
            {
                Fault("changed", row.Id);
            }

            if (row.Action == HeadLost && row.Actor == "gateway")
            {
                Fault("head-lost", row.Id);
            }

            (_lastId, _lastHash) = (Math.Max(row.Id, _lastId), row.Hash);
        }

        public AuditVerdict Verdict(long? beyondHead)
        {
            if (beyondHead is { } added)
            {
                Fault("added", added);
            }

            if (head is null)
            {
                Fault("head-missing", _lastId);
            }
            else if (!Same(head.Seal, hasher.Seal(head.LastId, head.LastHash)))
            {
                Fault("head-changed", head.LastId);
            }
            else if (head.LastId > _lastId)
            {
                Fault("truncated", _lastId + 1);
            }
            else if (!Same(head.LastHash, _lastHash))
            {
                Fault("changed", _lastId);
            }

            return new AuditVerdict(_rows, _rows == 0 ? "" : Convert.ToHexStringLower(_lastHash), [.. _faults.Distinct().Take(AuditVerdict.MostFaults)]);
        }

        private static bool Same(byte[] a, byte[] b) => CryptographicOperations.FixedTimeEquals(a, b);

        // One more than are listed would change nothing; a log of millions of broken entries must not fill the memory.
        private void Fault(string kind, long id)
        {
            if (_faults.Count < 2 * AuditVerdict.MostFaults)
            {
                _faults.Add(new AuditFault(kind, id));
            }
        }
    }
}
