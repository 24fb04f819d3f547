using System.Text;
using Sekisho.Response.Sim.Carriers;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Sim;

public class AnswerTests
{
    private const string Sim = """
        {"simId":"8942310000000000011","status":"active","speedClass":"s1.standard","profiles":{"8981100000000000011":{"iccid":"8981100000000000011","subscribers":{"440101234567811":{"imsi":"440101234567811"}}}},
        "sessionStatus":{"online":true,"ueIpAddress":"10.1.2.3","gatewayPublicIpAddress":"203.0.113.7","cell":{"radioType":"lte","mcc":440,"mnc":10,"tac":4321,"eci":123456789}}}
        """;

    private const string Traffic = """[{"date":"202604010000","unixtime":1775001600,"dataTrafficStatsMap":{"s1.standard":{"uploadByteSizeTotal":100,"downloadByteSizeTotal":20},"s1.fast":{"uploadByteSizeTotal":1,"downloadByteSizeTotal":2}}}]""";

    [Fact]
    public void The_published_answers_are_read()
    {
        var sim = Soracom.ReadSim(CarrierHttp.Parse(Encoding.UTF8.GetBytes(Sim)));
        Assert.Equal(("8942310000000000011", "active", true, "203.0.113.7", "440-10-4321-123456789"), (sim.SimId, sim.State, sim.IsOnline, sim.Address, sim.Cell));
        Assert.Equal(["8942310000000000011", "8981100000000000011", "440101234567811"], sim.Names);
        Assert.Equal([new SimTraffic(DateTimeOffset.FromUnixTimeSeconds(1775001600), 101, 22)], Soracom.ReadTraffic(CarrierHttp.Parse(Encoding.UTF8.GetBytes(Traffic))));
    }

    [Theory]
    [InlineData("[{\"unixtime\":\"1775001600\",\"dataTrafficStatsMap\":{}}]")]
    [InlineData("[{\"unixtime\":99999999999999,\"dataTrafficStatsMap\":{}}]")]
    [InlineData("[{\"unixtime\":1,\"dataTrafficStatsMap\":{\"s\":{\"uploadByteSizeTotal\":-1,\"downloadByteSizeTotal\":1}}}]")]
    [InlineData("[{\"unixtime\":1,\"dataTrafficStatsMap\":{\"s\":{\"uploadByteSizeTotal\":\"1\",\"downloadByteSizeTotal\":1}}}]")]
    [InlineData("[{\"unixtime\":1,\"dataTrafficStatsMap\":{\"s\":{\"uploadByteSizeTotal\":1e40,\"downloadByteSizeTotal\":1}}}]")]
    [InlineData("[\"\\ud800\"]")]
    [InlineData("{}")]
    public void Statistics_that_are_none_are_nonsense_and_nothing_else(string body) =>
        Assert.Equal(CarrierFaults.Nonsense, Assert.Throws<CarrierException>(() => Soracom.ReadTraffic(CarrierHttp.Parse(Encoding.UTF8.GetBytes(body)))).Kind);

    [Fact]
    public void Whatever_a_carrier_writes_is_read_or_called_nonsense()
    {
        const string Pieces = "{}[]\":,.\\u0dDnulltrue-9e";
        var random = Fuzz.Source(22);
        for (var round = 0; round < Fuzz.Rounds(10_000); round++)
        {
            var isSim = random.Next(2) == 0;
            var bytes = Encoding.UTF8.GetBytes(isSim ? Sim : Traffic);
            for (var i = random.Next(1, 5); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(4) == 0 ? (byte)random.Next(256) : (byte)Pieces[random.Next(Pieces.Length)];
            }

            try
            {
                var body = CarrierHttp.Parse(bytes[..random.Next(bytes.Length / 2, bytes.Length + 1)]);
                if (isSim)
                {
                    var sim = Soracom.ReadSim(body);
                    Assert.True(SimNames.IsSimId(sim.SimId) && SimStates.All.Contains(sim.State));
                }
                else
                {
                    Assert.All(Soracom.ReadTraffic(body), t => Assert.True(t is { Up: >= 0, Down: >= 0 }));
                }
            }
            catch (CarrierException e)
            {
                Assert.Equal(CarrierFaults.Nonsense, e.Kind);
            }
        }
    }
}
