using System.Net;
using Sekisho.Devices.Tokens;

namespace Sekisho.Devices.Tests.Tokens;

public sealed class SourcesTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2:aaaa::1", "2001:db8:1:2:bbbb::2", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("2001:db8::1", "192.0.2.1", false)]
    [InlineData(null, "192.0.2.1", false)]
    public void An_IPv6_host_is_one_sender_within_its_network(string? one, string? other, bool same)
    {
        Assert.Equal(same, Sources.Same(one, other));
        Assert.Equal(same, Sources.Same(other, one));
    }

    [Theory]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("fe80::1%3", "fe80::1")]
    public void An_address_has_one_text(string address, string text) => Assert.Equal(text, Sources.Of(IPAddress.Parse(address)));
}
