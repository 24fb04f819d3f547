using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Tests.Leases;

public class LeaseMachineTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20000);
    private static readonly LeaseSettings Settings = new() { MostTries = 2 };

    [Fact]
    public void The_same_finding_action_and_target_always_give_the_same_identifier()
    {
        Assert.Equal(Lease.IdOf("f1", "mail", "everyone"), Lease.IdOf("f1", "mail", "everyone"));
        Assert.Equal(4, new[] { ("f1", "mail", "x"), ("f2", "mail", "x"), ("f1", "webhook", "x"), ("f1", "mail", "y") }.Select(p => Lease.IdOf(p.Item1, p.Item2, p.Item3)).Distinct().Count());
        Assert.Matches("^l[0-9a-z]{15}$", Lease.IdOf("f1", "mail", "everyone"));
    }

    [Fact]
    public void A_lease_is_claimed_once_and_again_when_the_claim_ran_out()
    {
        var claimed = LeaseMachine.Claim(Due(), "n", "active", canUndo: true, Now, Settings)!;
        Assert.Equal((LeaseStates.Running, 1, "active"), (claimed.State, claimed.Attempts, claimed.Details.Before));
        Assert.Null(LeaseMachine.Claim(claimed, "n", "abnormal", canUndo: true, Now, Settings));
        var again = LeaseMachine.Claim(claimed, "n", "abnormal", canUndo: true, Now.AddMinutes(2), Settings)!;
        Assert.Equal((2, "active"), (again.Attempts, again.Details.Before));
        Assert.Equal(LeaseStates.Failed, LeaseMachine.Claim(again, "n", null, canUndo: true, Now.AddMinutes(4), Settings)!.State);
    }

    [Fact]
    public void The_last_failed_try_ends_as_failed_and_keeps_its_fault()
    {
        var first = LeaseMachine.TryFailed(LeaseMachine.Claim(Due(), "n", null, canUndo: true, Now, Settings)!, "down", null, canUndo: true, Now, Settings)!;
        Assert.Equal((LeaseStates.Due, Now.AddSeconds(10)), (first.State, first.NextTryAt));
        var last = LeaseMachine.TryFailed(LeaseMachine.Claim(first, "n", null, canUndo: true, Now.AddSeconds(10), Settings)!, "still down", null, canUndo: true, Now, Settings)!;
        Assert.Equal((LeaseStates.Failed, "still down", LeaseCauses.TriesUsedUp), (last.State, last.Details.LastError, last.Details.Cause));
        Assert.Null(last.NextTryAt);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_look_that_fails_ends_nothing_that_a_device_was_ordered_to_do(bool isCalledOff)
    {
        var waiting = LeaseMachine.Waits(LeaseMachine.Claim(Due(), "n", null, canUndo: true, Now, Settings)!, LeaseCauses.WaitsForDevice, Now.AddMinutes(1))!;
        waiting = isCalledOff ? LeaseMachine.TakenBack(waiting, canUndo: true, "hanako", "no need", Now)! : waiting;
        for (var i = 1; i < 40; i++)
        {
            var claimed = LeaseMachine.Claim(waiting, "n", null, canUndo: true, Now.AddHours(i), Settings)!;
            waiting = LeaseMachine.TryFailed(claimed, "the store is away", null, canUndo: true, Now.AddHours(i), Settings)!;
            Assert.Equal((LeaseStates.Running, LeaseCauses.WaitsForDevice, Now.AddHours(i).AddSeconds(10)), (waiting.State, waiting.Details.Cause, waiting.NextTryAt));
        }

        Assert.Equal(LeaseStates.Running, LeaseMachine.Retract(waiting, canUndo: true, "gone", Now)!.State);
        Assert.Equal(isCalledOff, waiting.UndoAskedAt is not null);
    }

    [Theory]
    [InlineData(LeaseStates.WaitingApproval)]
    [InlineData(LeaseStates.Due)]
    [InlineData(LeaseStates.Running)]
    [InlineData(LeaseStates.Failed)]
    [InlineData(LeaseStates.Undone)]
    [InlineData(LeaseStates.Expired)]
    [InlineData(LeaseStates.Refused)]
    public void Only_what_is_done_can_be_undone(string state)
    {
        var lease = Due() with { State = state };
        Assert.Equal((null, LeaseRefusal.WrongState), LeaseMachine.AskUndo(lease, canUndo: true, "a", "r", Now));
        Assert.Null(LeaseMachine.ClaimUndo(lease, "n", Now, Settings));
        Assert.Null(LeaseMachine.UndoDone(lease, null, Now));
        Assert.Null(LeaseMachine.EndedElsewhere(lease, LeaseCauses.ReleasedElsewhere, Now));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_was_taken_back_while_a_try_failed_is_undone_where_it_can_be(bool canUndo)
    {
        var running = LeaseMachine.Claim(Due(), "n", "active", canUndo, Now, Settings)!;
        var expected = canUndo ? (LeaseStates.Done, Now, true) : (LeaseStates.Refused, (DateTimeOffset?)null, false);
        Assert.Equal(expected, Ended(LeaseMachine.TakenBack(running, canUndo, "hanako", "a mistake", Now)!));
        Assert.Equal(expected, Ended(LeaseMachine.Retract(running, canUndo, "gone", Now)!));

        (string, DateTimeOffset?, bool) Ended(Lease lease)
        {
            var ended = LeaseMachine.TryFailed(lease, "no answer", null, canUndo, Now, Settings)!;
            return (ended.State, ended.NextTryAt, ended.Held);
        }
    }

    [Fact]
    public void What_used_up_its_tries_might_be_in_force_and_is_undone_when_a_person_wants_it()
    {
        var running = LeaseMachine.Claim(Due() with { Attempts = 1 }, "n", "active", canUndo: true, Now, Settings)!;
        var failed = LeaseMachine.TryFailed(running, "no answer", null, canUndo: true, Now, Settings)!;
        Assert.True(LeaseMachine.MayBeInForce(failed));
        Assert.Equal((null, LeaseRefusal.CannotUndo), LeaseMachine.AskUndo(failed, canUndo: false, "a", "r", Now));
        Assert.Equal(LeaseStates.Done, LeaseMachine.TakenBack(failed, canUndo: true, "a", "r", Now)!.State);
        Assert.Null(LeaseMachine.TakenBack(failed, canUndo: false, "a", "r", Now));
        var (asked, _) = LeaseMachine.AskUndo(failed, canUndo: true, "a", "r", Now);
        Assert.Equal(LeaseStates.Undone, LeaseMachine.UndoDone(LeaseMachine.ClaimUndo(asked!, "n", Now, Settings)!, null, Now)!.State);

        // Taken back, and every try of it crashed its node.
        var crashed = LeaseMachine.TakenBack(running, canUndo: true, "a", "r", Now)!;
        var sure = LeaseMachine.Claim(crashed, "n", null, canUndo: true, Now.AddHours(1), Settings)!;
        Assert.Equal((LeaseStates.Done, Now, Now.AddHours(1)), (sure.State, sure.UndoAskedAt, sure.NextTryAt));
    }

    [Fact]
    public void What_is_taken_back_between_two_tries_is_undone_and_what_was_never_tried_is_not_done()
    {
        var between = LeaseMachine.TryFailed(LeaseMachine.Claim(Due(), "n", "active", canUndo: true, Now, Settings)!, "no answer", null, canUndo: true, Now, Settings)!;
        foreach (var (lease, canUndo, state) in new[] { (between, true, LeaseStates.Done), (between, false, LeaseStates.Refused), (Due(), true, LeaseStates.Refused) })
        {
            Assert.Equal(state, LeaseMachine.TakenBack(lease, canUndo, "hanako", "a mistake", Now)!.State);
            Assert.Equal(state, LeaseMachine.Retract(lease, canUndo, "gone", Now)!.State);
        }
    }

    [Fact]
    public void Nobody_agrees_after_the_time_for_it()
    {
        var waiting = LeaseMachine.Waiting(Due(), Now, Settings);
        Assert.Equal((null, LeaseRefusal.WrongState), LeaseMachine.Approve(waiting, "sato", "yes", Now + Settings.ApprovalLasts));
    }

    [Fact]
    public void What_was_written_while_the_clock_was_ahead_is_as_if_it_were_written_now()
    {
        var ahead = Now.AddDays(365);
        var running = LeaseMachine.Claim(Due() with { CreatedAt = Now, NextTryAt = ahead }, "n", "active", canUndo: true, ahead, Settings)!;
        var done = LeaseMachine.Done(running, canUndo: true, locksOut: false, holds: true, null, ahead, Settings)!;
        Assert.Equal(ahead + Settings.RestrictionLasts, done.ExpiresAt);
        var back = ClockSetBack.Of(done, Now, Settings)!;
        Assert.Equal((Now, Now, Now + Settings.RestrictionLasts, Now + Settings.RestrictionLasts), (back.StartedAt, back.EndedAt, back.ExpiresAt, back.NextTryAt));

        var waiting = ClockSetBack.Of(LeaseMachine.Waiting(Due() with { CreatedAt = ahead }, ahead, Settings), Now, Settings)!;
        Assert.Equal((Now, Now + Settings.ApprovalLasts), (waiting.CreatedAt, waiting.NextTryAt));
        Assert.Null(ClockSetBack.Of(waiting, Now, Settings));

        // An undo that failed while the clock was ahead is due now; a step of the time server changes nothing.
        var undo = LeaseMachine.UndoFailed(LeaseMachine.ClaimUndo(LeaseMachine.AskUndo(back, canUndo: true, "a", "r", ahead).Next!, "n", ahead, Settings)!, "down", ahead, Settings)!;
        Assert.Equal(Now, ClockSetBack.Of(undo, Now, Settings)!.NextTryAt);
        Assert.Null(ClockSetBack.Of(back, Now.AddSeconds(-30), Settings));
        Assert.Null(ClockSetBack.Of(back, Now, Settings));
    }

    [Fact]
    public void Two_persons_means_two_persons_whatever_the_case_of_the_name()
    {
        var waiting = Due() with { State = LeaseStates.WaitingApproval, Approval = "two-persons", NextTryAt = null };
        var (one, _) = LeaseMachine.Approve(waiting, "Sato", "yes", Now);
        Assert.Equal((LeaseStates.WaitingApproval, null), (one!.State, one.NextTryAt));
        Assert.Equal((null, LeaseRefusal.SamePerson), LeaseMachine.Approve(one, "sato", "yes", Now));
        var (two, _) = LeaseMachine.Approve(one, "Suzuki", "yes", Now);
        Assert.Equal((LeaseStates.Due, Now), (two!.State, two.NextTryAt));
        Assert.Equal((null, LeaseRefusal.WrongState), LeaseMachine.Approve(two, "Tanaka", "yes", Now));
    }

    [Fact]
    public void A_failing_undo_is_tried_for_ever()
    {
        var lease = LeaseMachine.AskUndo(Due() with { State = LeaseStates.Done, Holds = true, Held = true }, canUndo: true, "a", "r", Now).Next!;
        var at = Now;
        for (var i = 0; i < 50; i++)
        {
            lease = LeaseMachine.ClaimUndo(lease, "n", at, Settings)!;
            Assert.False(lease.Holds);
            lease = LeaseMachine.UndoFailed(lease, "down", at, Settings)!;
            at = lease.NextTryAt!.Value;
        }

        Assert.Equal(LeaseStates.Undone, LeaseMachine.UndoDone(LeaseMachine.ClaimUndo(lease, "n", at, Settings)!, null, at)!.State);
    }

    [Fact]
    public void A_cursor_survives_its_text_and_nothing_else_is_one()
    {
        var random = new Random(5);
        var good = new LeaseCursor(1_775_000_000_000, Lease.IdOf("f", "a", "t")).ToString();
        Assert.Equal(good, LeaseCursor.Parse(good)!.ToString());
        for (var i = 0; i < 20_000; i++)
        {
            var text = good.ToCharArray();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                text[random.Next(text.Length)] = (char)random.Next(0, 0x3100);
            }

            var mutated = new string(text)[..random.Next(text.Length + 1)];
            Assert.True(LeaseCursor.Parse(mutated) is not { } parsed || parsed.Id.Length == 16);
        }
    }

    private static Lease Due() => new()
    {
        Id = "l000000000000000",
        Action = "a",
        Target = "t",
        State = LeaseStates.Due,
        Risk = Risks.Spoofing,
        Level = Levels.Warning,
        Condition = "c",
        Approval = "automatic",
        CreatedAt = Now,
        NextTryAt = Now,
        CorrelationId = "",
        Details = new LeaseDetails { Owner = "policy", Actor = "gateway" },
    };
}
