namespace Sekisho.Operations.Keys;

/// <summary>What a key can be allowed to touch. Append-only.</summary>
internal static class Scopes
{
    private static readonly string[] Subjects = ["devices", "detections", "responses", "history", "connector", "templates", "operations", "soc", "soc-status", "commands"];

    /// <summary>All scopes.</summary>
    public static readonly IReadOnlyList<string> All = [.. Subjects.SelectMany(s => (string[])[s + ":read", s + ":write"])];
}
