using Microsoft.AspNetCore.Http;

namespace Sekisho.Api.Tests;

public class CorrelationTests
{
    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736\r\nx-00f067aa0ba902b7-01")]
    public void What_is_no_trace_context_is_replaced_by_a_new_id(string header)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.TraceParent = header;
        var id = Correlation.Of(context);
        Assert.Matches("^[0-9a-f]{32}$", id);
        Assert.NotEqual("4bf92f3577b34da6a3ce929d0e0e4736", id);
        Assert.Equal(id, Correlation.Of(context));
    }

    [Fact]
    public void A_request_keeps_one_id_and_two_requests_have_two()
    {
        var one = new DefaultHttpContext();
        Assert.Equal(Correlation.Of(one), Correlation.Of(one));
        Assert.NotEqual(Correlation.Of(one), Correlation.Of(new DefaultHttpContext()));
    }

    [Fact]
    public void Two_headers_are_none()
    {
        var context = new DefaultHttpContext();
        const string Header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        context.Request.Headers.TraceParent = new[] { Header, Header };
        Assert.NotEqual("4bf92f3577b34da6a3ce929d0e0e4736", Correlation.Of(context));
    }
}
