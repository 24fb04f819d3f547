using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sekisho.Domain.Devices;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Distribution.Commands;

/// <summary>The part of a command that is stored encrypted.</summary>
internal sealed record CommandContent
{
    /// <summary>"key:NAME", "account:NAME", or "gateway".</summary>
    public required string Sender { get; init; }

    /// <summary>A JSON object, as the device gets it.</summary>
    public required string Arguments { get; init; }

    /// <summary>Which bound held it; null when none did.</summary>
    public CommandFault? Fault { get; init; }

    /// <summary>Who moved it last: an account, a key, the device, or "gateway".</summary>
    public required string Actor { get; init; }

    /// <summary>Why, in the words of the person who moved it last.</summary>
    public string? Reason { get; init; }

    /// <summary>What the device said, as JSON.</summary>
    public string? Answer { get; init; }

    /// <summary>Which order of its holder and name it is, from 0.</summary>
    public int Ordinal { get; init; }

    /// <summary>Stands for a content that cannot be read.</summary>
    public static CommandContent Damaged { get; } = new() { Sender = "?", Arguments = "{}", Actor = Command.Gateway };
}

/// <summary>How a command breaks its list.</summary>
/// <param name="Bound">One of <see cref="CommandBounds"/>.</param>
/// <param name="Pointer">The argument; null for other bounds.</param>
/// <param name="Value">What it was, for people; no text of an argument.</param>
/// <param name="Allowed">What is allowed, for people.</param>
/// <param name="Measured">The number that is out of bounds.</param>
/// <param name="Low">Smallest number allowed.</param>
/// <param name="High">Largest number allowed.</param>
internal sealed record CommandFault(string Bound, string? Pointer, string Value, string Allowed, double? Measured = null, double? Low = null, double? High = null);

/// <summary>A command with all that is kept of it. Immutable.</summary>
internal sealed record Command
{
    public const string Gateway = "gateway";

    public required string Id { get; init; }

    public required string FieldId { get; init; }

    public required string DeviceId { get; init; }

    public required string Name { get; init; }

    /// <summary>"key", "account", or "gateway".</summary>
    public required string Kind { get; init; }

    public string? Holder { get; init; }

    public required string State { get; init; }

    public string? Bound { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ValidUntil { get; init; }

    public DateTimeOffset? FetchedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public DateTimeOffset? EndsAt { get; init; }

    public required string CorrelationId { get; init; }

    public required CommandContent Content { get; init; }

    /// <summary>What is stored of its content cannot be read. Its device is never given it, and what is stored is left as it is.</summary>
    public bool IsDamaged { get; init; }

    /// <summary>All commands to its device are kept back at present.</summary>
    public bool IsKeptBack { get; init; }

    /// <summary>The state as people see it: what is kept back with its device is held as well.</summary>
    public string Shown => State == CommandStates.Queued && IsKeptBack ? CommandStates.Held : State;

    public static string NewId() => IdOf(RandomNumberGenerator.GetBytes(32));

    /// <summary>The identifier of an order, the same for the same one.</summary>
    public static string OrderId(string holder, string name, int number) =>
        IdOf(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{holder}\n{name}\n{number}"))));

    public DeviceCommand ToDomain() => new()
    {
        Id = Id,
        FieldId = FieldId,
        DeviceId = DeviceId,
        Name = Name,
        Sender = Content.Sender,
        Holder = Holder,
        Ordinal = Content.Ordinal,
        State = State,
        Bound = Bound,
        SentAt = CreatedAt,
        ValidUntil = ValidUntil,
        FetchedAt = FetchedAt,
        EndedAt = EndedAt,
        Answer = Content.Answer,
        IsDamaged = IsDamaged,
    };

    private static string IdOf(ReadOnlySpan<byte> bytes)
    {
        const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
        var id = new char[16];
        id[0] = 'c';
        for (var i = 1; i < id.Length; i++)
        {
            id[i] = Alphabet[bytes[i] % Alphabet.Length];
        }

        return new string(id);
    }
}

/// <summary>A row of the table command, between Dapper and <see cref="Command"/>.</summary>
internal sealed class CommandRow
{
    public const string Columns =
        "c.id AS Id, c.field_id AS FieldId, c.device_id AS DeviceId, c.number AS Number, c.name AS Name, c.kind AS Kind, c.holder AS Holder, c.state AS State, c.bound AS Bound, " +
        "c.created_at AS CreatedAt, c.valid_until AS ValidUntil, c.fetched_at AS FetchedAt, c.ended_at AS EndedAt, c.ends_at AS EndsAt, c.correlation_id AS CorrelationId, c.content AS Content, " +
        "(CASE WHEN c.kind <> 'gateway' AND EXISTS (SELECT 1 FROM command_hold h WHERE h.device_id = c.device_id AND h.until > @now) THEN 1 ELSE 0 END) AS KeptBack";

    private const int MostOrders = 100; // of one holder that are looked at, as CommandStore.OfHolderAsync

    public string Id { get; set; } = "";

    public string FieldId { get; set; } = "";

    public string DeviceId { get; set; } = "";

    public long Number { get; set; }

    public string Name { get; set; } = "";

    public string Kind { get; set; } = "";

    public string? Holder { get; set; }

    public string State { get; set; } = "";

    public string? Bound { get; set; }

    public long CreatedAt { get; set; }

    public long ValidUntil { get; set; }

    public long? FetchedAt { get; set; }

    public long? EndedAt { get; set; }

    public long? EndsAt { get; set; }

    public string CorrelationId { get; set; } = "";

    public byte[] Content { get; set; } = [];

    public long KeptBack { get; set; }

    public static byte[] Protect(CommandContent content, string id, ColumnCipher cipher) => cipher.Protect(JsonSerializer.Serialize(content), id);

    public Command ToCommand(ColumnCipher cipher)
    {
        var content = Read(cipher);
        return new()
        {
            Id = Id,
            FieldId = FieldId,
            DeviceId = DeviceId,
            Name = Name,
            Kind = Kind,
            Holder = Holder,
            State = State,
            Bound = Bound,
            CreatedAt = Time(CreatedAt)!.Value,
            ValidUntil = Time(ValidUntil)!.Value,
            FetchedAt = Time(FetchedAt),
            EndedAt = Time(EndedAt),
            EndsAt = Time(EndsAt),
            CorrelationId = CorrelationId,
            Content = content ?? CommandContent.Damaged with { Ordinal = OrdinalOf() },
            IsDamaged = content is null,
            IsKeptBack = KeptBack != 0,
        };
    }

    // Which order of its holder it is stands in its identifier as well.
    private int OrdinalOf() => Holder is null ? 0 : Math.Max(0, Enumerable.Range(0, MostOrders).FirstOrDefault(n => Command.OrderId(Holder, Name, n) == Id, -1));

    // One damaged row must not keep the others from being listed, given and ended.
    private CommandContent? Read(ColumnCipher cipher)
    {
        try
        {
            return JsonSerializer.Deserialize<CommandContent>(cipher.UnprotectText(Content, Id));
        }
        catch (Exception e) when (e is StorageException or JsonException)
        {
            return null;
        }
    }

    private static DateTimeOffset? Time(long? at) => at is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}
