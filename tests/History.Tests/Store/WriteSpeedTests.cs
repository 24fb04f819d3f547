using System.Diagnostics;
using System.Text;
using Sekisho.Domain.Detection;
using Sekisho.Storage;

namespace Sekisho.History.Tests.Store;

public class WriteSpeedTests(ITestOutputHelper output)
{
    /// <summary>A hot path: printed for people, held to a generous bound that a row per message or an encryption per message would break.</summary>
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Writing_a_chunk_of_1000_messages_of_200_devices_costs_microseconds_per_message(Dialect dialect)
    {
        const int Messages = 1000;
        await using var host = await HistoryHost.StartAsync(dialect);
        var payload = Encoding.UTF8.GetBytes($$"""{"x":"{{new string('a', 500)}}"}""");
        var part = host.Get<ILaneCommitPart>();
        var times = new List<double>();
        long allocated = 0;
        for (var round = 0; round < 30; round++)
        {
            var messages = Enumerable.Range(1, Messages).Select(i => Samples.Message((round * Messages) + i, $"d{i * 37 % 200:D15}") with { Payload = payload, Size = 512 }).ToArray();
            var batch = Samples.Batch([new MessageChunk("car", false, messages)]);
            host.Store.Databases.State.Write(t =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                var watch = Stopwatch.GetTimestamp();
                part.Write(batch, t);
                times.Add(Stopwatch.GetElapsedTime(watch).TotalMicroseconds / Messages);
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            });
        }

        // The best round is what the code costs; the median is what a busy machine makes of it.
        var best = times.Min();
        output.WriteLine($"{dialect}: {best:F2} µs (median {times.Order().ElementAt(times.Count / 2):F2}) and {allocated / (double)Messages:F0} bytes allocated per message, over {times.Count} chunks of {Messages}");
        Assert.True(best < 100, $"{best:F1} µs per message");
        Assert.True(allocated / Messages < 100, $"{allocated / Messages} bytes per message");
    }
}
