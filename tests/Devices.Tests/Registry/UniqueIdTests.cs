using Sekisho.Devices.Registry;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Tests.Registry;

public sealed class UniqueIdTests
{
    [Theory]
    [InlineData(UniqueIdTypes.Imei, "490154203237518", "490154203237518")]
    [InlineData(UniqueIdTypes.Imei, " 49-015420-323751-8 ", "490154203237518")]
    [InlineData(UniqueIdTypes.Imei, "490154203237519", null)]
    [InlineData(UniqueIdTypes.Imei, "49015420323751", null)]
    [InlineData(UniqueIdTypes.Imei, "４90154203237518", null)]
    [InlineData(UniqueIdTypes.Mac, "A0:B1:C2:D3:E4:F5", "a0:b1:c2:d3:e4:f5")]
    [InlineData(UniqueIdTypes.Mac, "a0-b1-c2-d3-e4-f5", "a0:b1:c2:d3:e4:f5")]
    [InlineData(UniqueIdTypes.Mac, "a0b1.c2d3.e4f5", "a0:b1:c2:d3:e4:f5")]
    [InlineData(UniqueIdTypes.Mac, "A0B1C2D3E4F5", "a0:b1:c2:d3:e4:f5")]
    [InlineData(UniqueIdTypes.Mac, "00:00:00:00:00:00", null)]
    [InlineData(UniqueIdTypes.Mac, "ff:ff:ff:ff:ff:ff", null)]
    [InlineData(UniqueIdTypes.Mac, "a0:b1:c2:d3:e4", null)]
    [InlineData(UniqueIdTypes.Mac, "a0:b1:c2:d3:e4:g5", null)]
    [InlineData(UniqueIdTypes.MacSerial, "A0B1C2D3E4F5/SN 1/2", "a0:b1:c2:d3:e4:f5/SN 1/2")]
    [InlineData(UniqueIdTypes.MacSerial, "A0B1C2D3E4F5/", null)]
    [InlineData(UniqueIdTypes.MacSerial, "A0B1C2D3E4F5", null)]
    [InlineData(UniqueIdTypes.Serial, " SN-1 ", "SN-1")]
    [InlineData(UniqueIdTypes.Serial, "a\u0000b", null)]
    [InlineData(UniqueIdTypes.Serial, "a\u200bb", null)]
    [InlineData(UniqueIdTypes.Serial, "", null)]
    [InlineData(UniqueIdTypes.User, "花子", "花子")]
    [InlineData(UniqueIdTypes.User, "か\u3099", "が")]
    [InlineData("colour", "red", null)]
    public void Each_type_has_its_rule_and_one_form(string type, string raw, string? canonical) => Assert.Equal(canonical, UniqueIds.Canonical(type, raw));

    [Fact]
    public void A_text_of_128_characters_is_taken_and_one_more_is_not()
    {
        Assert.NotNull(UniqueIds.Canonical(UniqueIdTypes.Vendor, new string('v', 128)));
        Assert.Null(UniqueIds.Canonical(UniqueIdTypes.Vendor, new string('v', 129)));
    }

    [Theory]
    [InlineData("490154203237518", "****7518")]
    [InlineData("1234567", "****")]
    public void A_mask_shows_little(string canonical, string masked) => Assert.Equal(masked, UniqueIds.Mask(canonical));

    [Fact]
    public void Every_form_is_stable_and_found_again_by_what_a_device_sends()
    {
        var random = new Random(815);
        const string Letters = "0123456789abcdefABCDEF:-./ éか\u3099\u0000\ud83d\ude00\ud800";
        for (var i = 0; i < 20_000; i++)
        {
            var raw = new string([.. Enumerable.Range(0, random.Next(20)).Select(_ => Letters[random.Next(Letters.Length)])]);
            foreach (var type in UniqueIdTypes.All)
            {
                if (UniqueIds.Canonical(type, raw) is { } canonical)
                {
                    Assert.Equal(canonical, UniqueIds.Canonical(type, canonical));
                    var (text, structured) = UniqueIds.Meanings(raw);
                    Assert.True(canonical == text || canonical == structured);
                }
            }
        }
    }
}
