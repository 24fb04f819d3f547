using Sekisho.Operations.Accounts;

namespace Sekisho.Operations.Tests;

public class PasswordTests
{
    [Fact]
    public async Task A_hash_made_cheaper_is_right_and_asks_to_be_made_anew()
    {
        using var cheap = new Passwords(iterations: 1000);
        using var today = new Passwords();
        Assert.Equal(PasswordVerdict.RightButCheap, await today.CheckAsync(With(cheap.Hash("four quiet rivers run")), "four quiet rivers run", CancellationToken.None));
        Assert.Equal(PasswordVerdict.Right, await today.CheckAsync(With(today.Hash("four quiet rivers run")), "four quiet rivers run", CancellationToken.None));
        Assert.Equal(PasswordVerdict.Wrong, await today.CheckAsync(With(today.Hash("four quiet rivers run")), "Four quiet rivers run", CancellationToken.None));
    }

    [Fact]
    public void The_hash_that_is_stored_is_the_dear_one()
    {
        using var today = new Passwords();
        var hash = Convert.FromBase64String(today.Hash("four quiet rivers run"));

        // Identity's format 3: marker 1, pseudo-random function 4 (2 is HMAC-SHA-512), iterations 4, big endian.
        Assert.Equal((1, 2), (hash[0], hash[4]));
        Assert.Equal(210_000, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(5)));
    }

    [Fact]
    public async Task Characters_that_only_differ_in_form_are_the_same_and_odd_ones_do_no_harm()
    {
        using var cheap = new Passwords(iterations: 1000);
        Assert.Equal(PasswordVerdict.Right, await cheap.CheckAsync(With(cheap.Hash("ガラスの靴を履いたサル")), "ｶﾞﾗｽの靴を履いたｻﾙ", CancellationToken.None));
        Assert.Equal(PasswordVerdict.Wrong, await cheap.CheckAsync(null, "half \ud83d", CancellationToken.None));
        Assert.Equal(PasswordVerdict.Wrong, await cheap.CheckAsync(null, new string('x', 1_000_000), CancellationToken.None));
    }

    [Fact]
    public async Task When_too_many_are_checked_at_once_the_rest_are_told_so_unchecked()
    {
        using var today = new Passwords();
        var account = With(today.Hash("four quiet rivers run"));
        using var patience = new CancellationTokenSource();
        var verdicts = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Factory.StartNew(
            () => today.CheckAsync(account, "four quiet rivers run", patience.Token), patience.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));
        Assert.Contains(PasswordVerdict.Busy, verdicts);
        Assert.True(verdicts.Count(v => v == PasswordVerdict.Right) >= 16);
    }

    private static Account With(string hash) => new("a2", "hanako", hash, [], [], "ja", MustSetPassword: false, Disabled: false, 1, default);
}
