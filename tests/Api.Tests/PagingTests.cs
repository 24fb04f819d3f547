namespace Sekisho.Api.Tests;

public class PagingTests
{
    [Theory]
    [InlineData(null, 50)]
    [InlineData(0, 1)]
    [InlineData(-5, 1)]
    [InlineData(7, 7)]
    [InlineData(501, 500)]
    [InlineData(int.MaxValue, 500)]
    public void A_page_is_never_empty_and_never_boundless(int? asked, int rows) => Assert.Equal(rows, Paging.Limit(asked));
}
