using Sekisho.Domain.History;
using Sekisho.History.Ledger;

namespace Sekisho.History.Tests.Ledger;

public class ResidueTests
{
    [Fact]
    public void When_nothing_moves_the_residue_is_exact()
    {
        var figures = new FieldFigures(100, 7, 50, 10, 5, 5);
        Assert.Equal(0, Residue.Of(figures, figures, 30));
        Assert.Equal(3, Residue.Of(figures, figures, 27));
        Assert.Equal(-2, Residue.Of(figures, figures, 32));
    }

    [Fact]
    public void What_moves_between_the_readings_is_never_reported_as_missing()
    {
        var random = new Random(3);
        for (var round = 0; round < 2000; round++)
        {
            var flow = new Flow(random);
            flow.Run(random.Next(200));
            var before = flow.Figures;
            flow.Run(random.Next(20));
            var (queued, counted) = (flow.Queued, flow.InFlight);
            flow.Run(random.Next(20));
            Assert.Equal(0, Residue.Of(before, flow.Figures, queued));
            Assert.Equal(0, Residue.OfJournal(All(before), All(flow.Figures), counted));
        }
    }

    [Fact]
    public void What_was_lost_shows_as_soon_as_the_flow_rests()
    {
        var random = new Random(5);
        for (var round = 0; round < 200; round++)
        {
            var flow = new Flow(random);
            flow.Run(300);
            var lost = random.Next(1, 5);
            Assert.Equal(lost, Residue.Of(flow.Figures, flow.Figures, flow.Queued - lost));
            Assert.Equal(lost, Residue.OfJournal(All(flow.Figures), All(flow.Figures), flow.InFlight with { Unprocessed = flow.InFlight.Unprocessed - lost }));
        }
    }

    private static LedgerFigures All(FieldFigures field) => new(new Dictionary<string, FieldFigures> { ["car"] = field });

    /// <summary>A plain model of messages on their way; dead letters are not replayed while two readings bracket a count.</summary>
    private sealed class Flow(Random random)
    {
        private long _journaled;
        private long _unprocessed;

        public FieldFigures Figures { get; private set; } = FieldFigures.None;

        public long Queued { get; private set; }

        public LedgerInFlight InFlight => new(_journaled, _unprocessed, new Dictionary<string, long> { ["car"] = Queued });

        public void Run(int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                var n = random.Next(1, 10);
                switch (random.Next(6))
                {
                    case 0:
                        _journaled += n;
                        _unprocessed += n;
                        break;
                    case 1 when _unprocessed >= n:
                        _unprocessed -= n;
                        Queued += n;
                        Figures = Figures with { Accepted = Figures.Accepted + n };
                        break;
                    case 2 when _unprocessed >= 1:
                        _unprocessed--;
                        Figures = Figures with { Duplicates = Figures.Duplicates + 1 };
                        break;
                    case 3 when Queued >= n:
                        Queued -= n;
                        Figures = Figures with { Forwarded = Figures.Forwarded + n };
                        break;
                    case 4 when Queued >= n:
                        Queued -= n;
                        Figures = Figures with { Dropped = Figures.Dropped + n };
                        break;
                    case 5 when Queued >= n:
                        Queued -= n;
                        Figures = Figures with { DeadLettered = Figures.DeadLettered + n };
                        break;
                }
            }
        }
    }
}
