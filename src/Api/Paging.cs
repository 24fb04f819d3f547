namespace Sekisho.Api;

/// <summary>One page of a list.</summary>
/// <param name="Items">At most the limit asked for.</param>
/// <param name="Next">Give it as "after" for the next page; null at the end.</param>
/// <typeparam name="T">Row type.</typeparam>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>How many rows a page has.</summary>
public static class Paging
{
    /// <summary>Rows when the request does not say.</summary>
    public const int Default = 50;

    /// <summary>Rows at most.</summary>
    public const int Most = 500;

    /// <summary>The limit to use, between 1 and <see cref="Most"/>.</summary>
    public static int Limit(int? asked) => Math.Clamp(asked ?? Default, 1, Most);
}
