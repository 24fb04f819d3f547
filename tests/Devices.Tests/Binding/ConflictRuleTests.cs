using Sekisho.Devices.Binding;

namespace Sekisho.Devices.Tests.Binding;

/// <summary>The rule over every situation there is.</summary>
public sealed class ConflictRuleTests
{
    private static readonly bool[] Both = [false, true];

    private static IEnumerable<Situation> All() =>
        from proves in Both
        from incumbent in Both
        from unexpired in Both
        from alive in Both
        from stage in Enum.GetValues<ConflictStage>()
        from waiting in Both
        from seen in Both
        select new Situation
        {
            ProvesIncumbent = proves,
            FromIncumbentsSource = incumbent,
            TokenUnexpired = unexpired,
            IncumbentAlive = alive,
            Stage = stage,
            FromWaitingSource = waiting,
            IncumbentSeenSince = seen,
        };

    private static bool Granted(Situation s) => ConflictRule.Judge(s) is Ruling.Grant or Ruling.GrantIncumbent;

    private static void Each(Func<Situation, bool> where, Func<Situation, bool> holds)
    {
        var some = All().Where(where).ToList();
        Assert.NotEmpty(some);
        Assert.All(some, s => Assert.True(holds(s), s.ToString()));
    }

    [Fact]
    public void Every_situation_has_a_ruling() => Assert.Equal(320, All().Select(s => ConflictRule.Judge(s)).Count());

    [Fact]
    public void A_living_incumbent_is_never_put_out_by_a_sender_from_elsewhere() => Each(
        s => s.TokenUnexpired && s.IncumbentAlive && !s.FromIncumbentsSource && !s.ProvesIncumbent && s.Stage != ConflictStage.Accepted,
        s => !Granted(s));

    [Fact]
    public void The_incumbent_renews_from_its_own_source_whatever_others_do() => Each(
        s => s.FromIncumbentsSource && !s.FromWaitingSource && s.Stage != ConflictStage.Accepted,
        Granted);

    [Fact]
    public void Who_shows_a_token_of_the_device_renews_from_anywhere() => Each(s => s.ProvesIncumbent && s.Stage != ConflictStage.Accepted, Granted);

    [Fact]
    public void Without_a_conflict_only_a_live_incumbent_elsewhere_makes_a_sender_wait() => Each(
        s => s.Stage == ConflictStage.None,
        s => Granted(s) == (s.ProvesIncumbent || s.FromIncumbentsSource || !s.TokenUnexpired || !s.IncumbentAlive));

    [Fact]
    public void A_sender_who_waits_gets_in_when_the_incumbent_falls_silent_and_was_not_seen_since() => Each(
        s => s.Stage == ConflictStage.Provisional && s.FromWaitingSource && !s.IncumbentAlive && !s.IncumbentSeenSince,
        Granted);

    [Fact]
    public void An_incumbent_seen_since_confirms_the_conflict() => Each(
        s => s.Stage == ConflictStage.Provisional && s.IncumbentSeenSince && !s.FromIncumbentsSource && !s.ProvesIncumbent,
        s => ConflictRule.Judge(s) == Ruling.Confirm);

    [Fact]
    public void A_confirmed_conflict_ends_without_a_person_only_when_the_token_ran_out_and_nobody_used_it() => Each(
        s => s.Stage == ConflictStage.Confirmed && !s.FromIncumbentsSource && !s.ProvesIncumbent,
        s => Granted(s) == (!s.TokenUnexpired && !s.IncumbentAlive));

    [Fact]
    public void A_refused_sender_stays_out_unless_it_is_the_incumbent() => Each(
        s => s.Stage == ConflictStage.Refused && s.FromWaitingSource && !s.ProvesIncumbent && (!s.FromIncumbentsSource || s.IncumbentSeenSince),
        s => ConflictRule.Judge(s) == Ruling.Refuse);

    [Fact]
    public void After_an_acceptance_only_the_accepted_sender_gets_in() => Each(s => s.Stage == ConflictStage.Accepted, s => Granted(s) == s.FromWaitingSource);

    [Fact]
    public void The_newer_sender_goes_on_waiting_while_the_incumbent_renews() => Each(
        s => s.FromIncumbentsSource && !s.FromWaitingSource && s.Stage is ConflictStage.Provisional or ConflictStage.Confirmed && s is { FromIncumbentsSource: true, FromWaitingSource: false },
        s => ConflictRule.Judge(s) == Ruling.GrantIncumbent);
}
