using System.Net;
using Sekisho.Wire.Features;

namespace Sekisho.Wire.Tests;

public class NetAddressTests
{
    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("2001:db8::1")]
    [InlineData("255.255.255.255")]
    [InlineData("fe80::1")]
    public void An_address_comes_out_as_it_went_in(string text)
    {
        var address = IPAddress.Parse(text);
        var bytes = address.MapToIPv6().GetAddressBytes();

        var read = NetAddress.FromIPv6(bytes);

        Assert.Equal(text, read.ToString());
        Assert.Equal(address, read.ToIPAddress());
    }

    [Fact]
    public void IPv4_comes_before_most_of_IPv6_and_sorts_by_number()
    {
        NetAddress[] sorted = [default, NetAddress.FromIPv4(0x0A000001), NetAddress.FromIPv4(0xC0000201), NetAddress.FromIPv6(IPAddress.Parse("2001:db8::1").GetAddressBytes())];

        Assert.Equal(sorted.AsEnumerable(), sorted.AsEnumerable().Reverse().Order());
        Assert.True(sorted[0].IsNone);
        Assert.True(sorted[1].IsIPv4);
        Assert.False(sorted[3].IsIPv4);
    }

    [Fact]
    public void Sixteen_bytes_or_none() =>
        Assert.Throws<ArgumentException>(() => NetAddress.FromIPv6(new byte[4]));
}
