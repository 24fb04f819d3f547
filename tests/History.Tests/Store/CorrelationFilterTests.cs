using Sekisho.Domain.Events;
using Sekisho.History.Store;

namespace Sekisho.History.Tests.Store;

public class CorrelationFilterTests
{
    [Fact]
    public void Every_id_in_a_chunk_is_found_and_few_others_are()
    {
        foreach (var count in (int[])[1, 5, 100, 3000, 40_000])
        {
            var messages = Enumerable.Range(0, count).Select(i => Samples.Message(i)).ToArray();
            var filter = Fill(messages);
            Assert.All(messages, m => Assert.True(CorrelationFilter.MayContain(filter, m.CorrelationId)));
            var wrong = Enumerable.Range(1_000_000, 5000).Count(i => CorrelationFilter.MayContain(filter, Samples.Hex(i)));
            Assert.True(wrong < 50, $"{wrong} of 5000 with {count} messages");
        }
    }

    [Fact]
    public void The_bytes_are_those_of_the_first_version() =>
        Assert.Equal("01" + Expected, Convert.ToHexStringLower(Fill([Samples.Message(1, correlation: "0123456789abcdef0123456789abcdef"), Samples.Message(2, correlation: "")])));

    [Fact]
    public void A_filter_of_another_version_excludes_nothing()
    {
        var filter = Fill([Samples.Message(1)]);
        filter[0] = 2;
        Assert.True(CorrelationFilter.MayContain(filter, "anything"));
        Assert.True(CorrelationFilter.MayContain([], "anything"));
    }

    private const string Expected = "3000040800280401";

    private static byte[] Fill(IReadOnlyList<MessageEvent> messages)
    {
        var filter = new byte[CorrelationFilter.Size(messages.Count)];
        CorrelationFilter.Fill(messages, filter);
        return filter;
    }
}
