using System.Text;
using Sekisho.Domain.Detection;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Findings;

/// <summary>
/// How subjects stand in tables. A source is an address of a sender and a place says where somebody is, so they are stored as a keyed hash to find
/// them by and encrypted to show them;
/// other keys are identifiers that say nothing by themselves. States hold what was learnt of messages, so they are sealed. Any thread.
/// </summary>
internal sealed class SubjectKeys(MasterKey master) : IDisposable
{
    /// <summary>First byte of a sealed row; versions of plain ones are others.</summary>
    public const byte Sealed = 2;

    private readonly ColumnCipher _cipher = new(master, "detection.source");
    private readonly ColumnCipher _states = new(master, "detection.state");
    private readonly KeyedHash _hash = new(master, "detection.source-hash");

    /// <summary>The column "area": the field whose conditions watch it, empty for devices and for the gateway.</summary>
    public static string AreaOf(SubjectId id) => id.FieldId ?? "";

    /// <summary>The column "subject".</summary>
    public string SubjectOf(SubjectId id) => IsPersonal(id) ? Convert.ToHexStringLower(_hash.Of(id.Key)) : id.Key;

    /// <summary>The column "key".</summary>
    public byte[]? KeyOf(SubjectId id) => IsPersonal(id) ? _cipher.Protect(id.Key, SubjectOf(id)) : null;

    /// <summary>The key back from both columns.</summary>
    public string Read(string subject, byte[]? key) => key is null ? subject : _cipher.UnprotectText(key, subject);

    /// <summary>Encrypts what the lanes keep: <see cref="Sealed"/>, then the cipher's bytes.</summary>
    /// <param name="plain">A state or a row of changes.</param>
    /// <param name="context">Where it stands, so that it cannot be moved to another place.</param>
    public byte[] Seal(ReadOnlySpan<byte> plain, string context)
    {
        var row = new byte[1 + ColumnCipher.Overhead + plain.Length];
        row[0] = Sealed;
        _states.Protect(plain, Encoding.UTF8.GetBytes(context), row.AsSpan(1));
        return row;
    }

    /// <summary>Decrypts; what older versions stored begins with its own version and stands in clear.</summary>
    /// <exception cref="StorageException">Wrong key, wrong context, or changed bytes.</exception>
    public byte[] Open(ReadOnlySpan<byte> row, string context) =>
        row is [Sealed, .. var data] ? _states.Unprotect(data, Encoding.UTF8.GetBytes(context)) : row.ToArray();

    /// <summary>A hash of a condition as a column of signed 64 bits.</summary>
    public static long Signed(ulong identity) => unchecked((long)identity);

    private static bool IsPersonal(SubjectId id) => id.Scope is Scopes.Source or Scopes.Place;

    public void Dispose()
    {
        _cipher.Dispose();
        _states.Dispose();
    }
}
