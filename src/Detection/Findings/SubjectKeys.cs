using Sekisho.Domain.Detection;
using Sekisho.Storage.Keys;

namespace Sekisho.Detection.Findings;

/// <summary>
/// How subjects stand in tables. A source is an address of a sender and a place says where somebody is, so they are stored as a keyed hash to find
/// them by and encrypted to show them;
/// other keys are identifiers that say nothing by themselves. Any thread.
/// </summary>
internal sealed class SubjectKeys(MasterKey master) : IDisposable
{
    private readonly ColumnCipher _cipher = new(master, "detection.source");
    private readonly KeyedHash _hash = new(master, "detection.source-hash");

    /// <summary>The column "area": the field whose conditions watch it, empty for devices and for the gateway.</summary>
    public static string AreaOf(SubjectId id) => id.FieldId ?? "";

    /// <summary>The column "subject".</summary>
    public string SubjectOf(SubjectId id) => IsPersonal(id) ? Convert.ToHexStringLower(_hash.Of(id.Key)) : id.Key;

    /// <summary>The column "key".</summary>
    public byte[]? KeyOf(SubjectId id) => IsPersonal(id) ? _cipher.Protect(id.Key, SubjectOf(id)) : null;

    /// <summary>The key back from both columns.</summary>
    public string Read(string subject, byte[]? key) => key is null ? subject : _cipher.UnprotectText(key, subject);

    /// <summary>A hash of a condition as a column of signed 64 bits.</summary>
    public static long Signed(ulong identity) => unchecked((long)identity);

    private static bool IsPersonal(SubjectId id) => id.Scope is Scopes.Source or Scopes.Place;

    public void Dispose() => _cipher.Dispose();
}
