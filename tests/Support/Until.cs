namespace Sekisho.Tests.Support;

/// <summary>Waits for what other processes do.</summary>
public static class Until
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(60);

    public static Task TrueAsync(Func<bool> condition, string otherwise, TimeSpan? most = null) => TrueAsync(() => Task.FromResult(condition()), otherwise, most);

    public static async Task TrueAsync(Func<Task<bool>> condition, string otherwise, TimeSpan? most = null)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(begin) > (most ?? Most))
            {
                throw new TimeoutException(otherwise);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(30), TimeProvider.System);
        }
    }
}
