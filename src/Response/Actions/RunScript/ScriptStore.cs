using System.Data.Common;
using System.Text.Json;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Response.Actions.RunScript;

/// <summary>
/// The tables response_script_version, response_script_turn and response_script_run. Versions and turns are never changed; what they hold is sealed with
/// the master key. Of runs the newest stay. Any thread.
/// </summary>
internal sealed class ScriptStore(Databases databases, MasterKey key, IHistory history, TimeProvider clock) : IDisposable
{
    /// <summary>Most scripts of a field.</summary>
    public const int MostScripts = 16;

    /// <summary>Most versions of a script.</summary>
    public const int MostVersions = 200;

    /// <summary>Runs of a script that are kept.</summary>
    public const int MostRuns = 500;

    private readonly ColumnCipher _cipher = new(key, "response-script");

    public void Dispose() => _cipher.Dispose();

    /// <summary>Names of a field's scripts.</summary>
    public Task<IReadOnlyList<string>> NamesAsync(string fieldId, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<string>)(await c.QueryAsync<string>("SELECT DISTINCT name FROM response_script_version WHERE field_id = @fieldId ORDER BY name", new { fieldId })).AsList(), cancellation);

    /// <summary>All scripts of a field by name.</summary>
    public async Task<IReadOnlyList<ScriptBook>> ListAsync(string fieldId, CancellationToken cancellation)
    {
        var books = new List<ScriptBook>();
        foreach (var name in await NamesAsync(fieldId, cancellation))
        {
            books.Add(await BookAsync(fieldId, name, cancellation));
        }

        return books;
    }

    /// <summary>One script; without versions when there is none of that name.</summary>
    /// <exception cref="StorageException">A row is not what the gateway sealed.</exception>
    public Task<ScriptBook> BookAsync(string fieldId, string name, CancellationToken cancellation) => databases.State.ReadAsync(c => Task.FromResult(Book(fieldId, name, c, null)), cancellation);

    /// <summary>Whether further texts can be taken in.</summary>
    public async Task<bool> HasRoomAsync(string fieldId, IReadOnlyList<(string Name, string Text)> texts, CancellationToken cancellation)
    {
        var books = (await ListAsync(fieldId, cancellation)).ToDictionary(b => b.Name);
        return books.Keys.Union(texts.Select(t => t.Name)).Count() <= MostScripts
            && texts.All(t => !books.TryGetValue(t.Name, out var book) || book.Versions.Count < MostVersions || book.Versions.Any(v => v.Text == t.Text));
    }

    /// <summary>Takes a version in, in the caller's transaction; a text that is there already is not taken again.</summary>
    /// <returns>The version; null when there would be too many scripts or versions.</returns>
    public ScriptVersion? Add(string fieldId, string name, string text, string signer, string? why, string by, string correlationId, DbTransaction transaction)
    {
        var book = Book(fieldId, name, transaction.Connection!, transaction);
        if (book.Versions.FirstOrDefault(v => v.Text == text) is { } same)
        {
            return same;
        }

        var others = transaction.Connection!.ExecuteScalar<long>("SELECT COUNT(DISTINCT name) FROM response_script_version WHERE field_id = @fieldId AND name <> @name", new { fieldId, name }, transaction);
        if (others >= MostScripts || book.Versions.Count >= MostVersions)
        {
            return null;
        }

        var version = new ScriptVersion((book.Versions.Count == 0 ? 0 : book.Versions[0].Version) + 1, Now(), by, why, text, signer);
        transaction.Connection!.Execute(
            "INSERT INTO response_script_version (field_id, name, version, at, body) VALUES (@fieldId, @name, @Version, @at, @body)",
            new { fieldId, name, version.Version, at = version.At.ToUnixTimeMilliseconds(), body = Seal(version, Context(fieldId, name, "version", version.Version)) },
            transaction);
        Record(fieldId, name, "response-script-uploaded", by, correlationId, new { state = ScriptStates.Draft, version = version.Version, why, signer }, transaction);
        return version;
    }

    /// <summary>The same in a transaction of its own.</summary>
    public Task<ScriptVersion?> AddAsync(string fieldId, string name, string text, string signer, string? why, string by, string correlationId, CancellationToken cancellation) =>
        databases.State.WriteAsync(t => Task.FromResult(Add(fieldId, name, text, signer, why, by, correlationId, t)), cancellation);

    /// <summary>Notes what is decided about versions of a script as it stands now.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="name">The script.</param>
    /// <param name="decide">Versions and their new states; nothing when it does not apply any more.</param>
    /// <param name="by">Who.</param>
    /// <param name="why">Why.</param>
    /// <param name="withoutTrial">Why untried; null when tried.</param>
    /// <param name="correlationId">Correlation id of the request.</param>
    /// <param name="along">What belongs to it in its transaction.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    /// <returns>Whether something was noted.</returns>
    public Task<bool> TurnAsync(
        string fieldId, string name, Func<ScriptBook, IReadOnlyList<(int Version, string State)>> decide, string by, string? why, string? withoutTrial, string correlationId,
        Action<DbTransaction>? along, CancellationToken cancellation) => databases.State.WriteAsync(
        t =>
        {
            var book = Book(fieldId, name, t.Connection!, t);
            var number = book.Turns.Count == 0 ? 0 : book.Turns[0].Number;
            var decided = decide(book);
            foreach (var (version, state) in decided)
            {
                var turn = new ScriptTurn(++number, version, state, Now(), by, why, state == ScriptStates.Active ? withoutTrial : null);
                t.Connection!.Execute(
                    "INSERT INTO response_script_turn (field_id, name, number, at, body) VALUES (@fieldId, @name, @Number, @at, @body)",
                    new { fieldId, name, turn.Number, at = turn.At.ToUnixTimeMilliseconds(), body = Seal(turn, Context(fieldId, name, "turn", turn.Number)) },
                    t);
                Record(fieldId, name, "response-script-" + state, by, correlationId, new { state, version, why, withoutTrial = turn.WithoutTrial }, t);
            }

            if (decided.Count > 0)
            {
                along?.Invoke(t);
            }

            return Task.FromResult(decided.Count > 0);
        },
        cancellation);

    /// <summary>Keeps a run, in the caller's transaction; the run of a version on a detection is kept once.</summary>
    public void Add(string fieldId, ScriptRunRecord run, DbTransaction transaction)
    {
        transaction.Connection!.Execute(
            "INSERT INTO response_script_run (field_id, name, version, finding_id, at, good, body) VALUES (@fieldId, @Name, @Version, @FindingId, @at, @good, @body) ON CONFLICT (field_id, name, version, finding_id) DO NOTHING",
            new { fieldId, run.Name, run.Version, run.FindingId, at = run.At.ToUnixTimeMilliseconds(), good = run.Fault is null ? 1 : 0, body = Seal(run, RunContext(fieldId, run.Name, run.Version, run.FindingId)) },
            transaction);
        transaction.Connection!.Execute(
            "DELETE FROM response_script_run WHERE field_id = @fieldId AND name = @Name AND at < (SELECT at FROM response_script_run WHERE field_id = @fieldId AND name = @Name ORDER BY at DESC LIMIT 1 OFFSET @most)",
            new { fieldId, run.Name, most = MostRuns - 1 },
            transaction);
    }

    /// <summary>Versions that ran on a live detection without a fault.</summary>
    public Task<IReadOnlySet<int>> RanAsync(string fieldId, string name, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlySet<int>)(await c.QueryAsync<int>("SELECT DISTINCT version FROM response_script_run WHERE field_id = @fieldId AND name = @name AND good = 1", new { fieldId, name })).ToHashSet(),
        cancellation);

    /// <summary>Runs on live detections, newest first.</summary>
    public Task<IReadOnlyList<ScriptRunRecord>> RunsAsync(string fieldId, string name, int? version, int limit, CancellationToken cancellation) => databases.State.ReadAsync(
        async c => (IReadOnlyList<ScriptRunRecord>)[.. (await c.QueryAsync<(long Version, string Finding, byte[] Body)>(
            $"SELECT version, finding_id, body FROM response_script_run WHERE field_id = @fieldId AND name = @name {(version is null ? "" : "AND version = @version ")}ORDER BY at DESC, version DESC, finding_id LIMIT @limit",
            new { fieldId, name, version, limit })).Select(r => Open<ScriptRunRecord>(r.Body, RunContext(fieldId, name, (int)r.Version, r.Finding)))],
        cancellation);

    private static string Context(string fieldId, string name, string what, long number) => FormattableString.Invariant($"response-script/{fieldId}/{name}/{what}/{number}");

    private static string RunContext(string fieldId, string name, int version, string findingId) => FormattableString.Invariant($"response-script/{fieldId}/{name}/run/{version}/{findingId}");

    private ScriptBook Book(string fieldId, string name, DbConnection connection, DbTransaction? transaction)
    {
        var versions = connection.Query<(long Number, byte[] Body)>(
            "SELECT version, body FROM response_script_version WHERE field_id = @fieldId AND name = @name ORDER BY version DESC", new { fieldId, name }, transaction);
        var turns = connection.Query<(long Number, byte[] Body)>(
            "SELECT number, body FROM response_script_turn WHERE field_id = @fieldId AND name = @name ORDER BY number DESC", new { fieldId, name }, transaction);
        return new ScriptBook(
            name,
            [.. versions.Select(r => Open<ScriptVersion>(r.Body, Context(fieldId, name, "version", r.Number)))],
            [.. turns.Select(r => Open<ScriptTurn>(r.Body, Context(fieldId, name, "turn", r.Number)))]);
    }

    private byte[] Seal<T>(T what, string context) => _cipher.Protect(JsonSerializer.Serialize(what), context);

    private T Open<T>(byte[] body, string context) => JsonSerializer.Deserialize<T>(_cipher.UnprotectText(body, context))!;

    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());

    private void Record(string fieldId, string name, string what, string by, string correlationId, object details, DbTransaction transaction) => history.Append(
        new HistoryRecord
        {
            At = clock.GetUtcNow(),
            Kind = HistoryKinds.Operator,
            What = what,
            FieldId = fieldId,
            Actor = by,
            CorrelationId = correlationId,
            Subject = name,
            Details = JsonSerializer.Serialize(details),
        },
        transaction);
}
