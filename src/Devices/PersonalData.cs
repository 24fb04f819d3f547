using Sekisho.Storage.Keys;

namespace Sekisho.Devices;

/// <summary>Encrypts what identifies devices and people: unique IDs, names, contact points, reasons. Any thread.</summary>
internal sealed class PersonalData(MasterKey key) : IDisposable
{
    private readonly ColumnCipher _cipher = new(key, "devices");

    /// <summary>Encrypts a column of a row; it decrypts as that column of that row only.</summary>
    public byte[] Protect(string column, string rowId, string text) => _cipher.Protect(text, column + ":" + rowId);

    public string Read(string column, string rowId, byte[] data) => _cipher.UnprotectText(data, column + ":" + rowId);

    public void Dispose() => _cipher.Dispose();
}
