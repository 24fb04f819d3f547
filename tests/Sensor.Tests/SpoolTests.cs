using Sekisho.Sensor.Uplink;

namespace Sekisho.Sensor.Tests;

public sealed class SpoolTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_appended_waits_in_order_until_it_is_confirmed_also_over_restarts()
    {
        using (var spool = Spool.Open(_folder))
        {
            Assert.Equal([1L, 2, 3], Enumerable.Range(0, 3).Select(i => spool.Append(Intervals.Of(i))!.Value));
            spool.Confirm(1, 1);
        }

        using (var spool = Spool.Open(_folder))
        {
            Assert.Equal(2, spool.Waiting);
            Assert.Equal([2L, 3], spool.Peek(10, 1_000_000).Select(i => i.Sequence));
            Assert.Equal([1L, 2], spool.Peek(10, 1_000_000).Select(i => Intervals.Read(i.Message).Start));
            Assert.Equal([2L, 3], spool.Peek(10, 1_000_000).Select(i => Intervals.Read(i.Message).Sequence));
            spool.Confirm(3, 3);
            Assert.Empty(spool.Peek(10, 1_000_000));
        }

        // Everything was confirmed, and still no number comes twice.
        using var again = Spool.Open(_folder);
        Assert.Equal(4, again.Append(Intervals.Of(9)));
    }

    [Fact]
    public void A_file_cut_at_any_byte_gives_every_whole_record_and_no_number_that_was_on_disk_whole_comes_again()
    {
        var ends = new List<long>();
        string file;
        using (var spool = Spool.Open(_folder))
        {
            file = "";
            for (var i = 0; i < 5; i++)
            {
                spool.Append(Intervals.Of(i));
                file = Directory.GetFiles(_folder, "*.seg").Single();
                ends.Add(new FileInfo(file).Length);
            }
        }

        var whole = File.ReadAllBytes(file);
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            File.WriteAllBytes(file, whole[..cut]);
            var kept = ends.Count(e => e <= cut);
            using (var spool = Spool.Open(_folder))
            {
                Assert.Equal(Enumerable.Range(1, kept).Select(i => (long)i), spool.Peek(10, 1_000_000).Select(i => i.Sequence));
                Assert.Equal(kept + 1, spool.Append(Intervals.Of(77)));
                Assert.Equal(77, Intervals.Read(spool.Peek(10, 1_000_000)[^1].Message).Start);
            }

            using var once = Spool.Open(_folder);
            Assert.Equal(kept + 1, once.Waiting);
        }
    }

    [Fact]
    public void A_byte_that_the_disk_changed_is_noticed_and_what_comes_after_it_is_not_taken_for_good()
    {
        string file;
        using (var spool = Spool.Open(_folder))
        {
            spool.Append(Intervals.Of(0));
            spool.Append(Intervals.Of(1));
            file = Directory.GetFiles(_folder, "*.seg").Single();
        }

        var whole = File.ReadAllBytes(file);
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = (byte[])whole.Clone();
            changed[at] ^= 0x40;
            File.WriteAllBytes(file, changed);
            using var spool = Spool.Open(_folder);
            Assert.InRange(spool.Waiting, 0, 1);
            Assert.All(spool.Peek(10, 1_000_000), i => Assert.Equal(i.Sequence - 1, Intervals.Read(i.Message).Start));
        }
    }

    [Fact]
    public void What_was_confirmed_stays_confirmed_when_the_records_themselves_are_lost()
    {
        using (var spool = Spool.Open(_folder))
        {
            spool.Append(Intervals.Of(0));
            spool.Append(Intervals.Of(1));
            spool.Confirm(2, 2);
        }

        foreach (var file in Directory.GetFiles(_folder, "*.seg"))
        {
            File.Delete(file);
        }

        using var again = Spool.Open(_folder);
        Assert.Equal(3, again.Append(Intervals.Of(2)));
    }

    [Fact]
    public void A_spool_without_room_drops_the_oldest_and_the_next_report_says_how_many()
    {
        using var spool = Spool.Open(_folder, Spool.LeastBytes);
        long last = 0;
        while (spool.Lost == 0)
        {
            last = spool.Append(Intervals.Of(1, devices: 400))!.Value;
            Assert.True(last < 10_000, "it never filled");
            Assert.InRange(new DirectoryInfo(_folder).GetFiles("*.seg").Sum(f => f.Length), 0, Spool.LeastBytes);
        }

        Assert.Equal(last, spool.Waiting + spool.Lost);
        var oldest = spool.Peek(1, 1_000_000)[0].Sequence;
        Assert.Equal(spool.Lost + 1, oldest);
        spool.Append(Intervals.Of(2));
        var newest = spool.Peek(100_000, int.MaxValue)[^1];
        var state = Intervals.Read(newest.Message).State;
        Assert.Equal(spool.Lost, state.Lost);
        Assert.Equal(spool.Waiting - 1, state.Waiting);

        // What was lost is known after a crash too.
        var lost = spool.Lost;
        spool.Dispose();
        using var again = Spool.Open(_folder, Spool.LeastBytes);
        Assert.Equal(lost, again.Lost);
    }

    [Fact]
    public void A_sensor_that_was_set_back_goes_on_above_what_the_gateway_has()
    {
        using var spool = Spool.Open(_folder);
        spool.Append(Intervals.Of(0));
        spool.Append(Intervals.Of(1));
        spool.Confirm(upTo: 100, sent: 1);
        Assert.Equal(0, spool.Waiting);
        Assert.Equal(1, spool.Lost);
        Assert.Equal(101, spool.Append(Intervals.Of(2)));
        spool.Dispose();
        using var again = Spool.Open(_folder);
        Assert.Equal(102, again.Append(Intervals.Of(3)));
        Assert.Equal([101L, 102], again.Peek(10, 1_000_000).Select(i => i.Sequence));
    }

    [Fact]
    public void Confirmed_segments_leave_the_disk()
    {
        using var spool = Spool.Open(_folder, Spool.LeastBytes);
        for (var i = 0; i < 500; i++)
        {
            spool.Append(Intervals.Of(i, devices: 400));
        }

        Assert.True(Directory.GetFiles(_folder, "*.seg").Length > 3);
        spool.Confirm(500, 500);
        Assert.Single(Directory.GetFiles(_folder, "*.seg"));
    }

    [Fact]
    public void Only_one_sensor_uses_a_spool_and_only_its_owner_may_read_it()
    {
        using var spool = Spool.Open(_folder);
        Assert.Throws<IOException>(() => Spool.Open(_folder));
        spool.Append(Intervals.Of(0));
        spool.Confirm(1, 1);
        Assert.All(Directory.GetFiles(_folder), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
    }

    [Fact]
    public void An_upload_holds_no_more_than_it_may_and_always_something()
    {
        using var spool = Spool.Open(_folder);
        for (var i = 0; i < 10; i++)
        {
            spool.Append(Intervals.Of(i, devices: 50));
        }

        Assert.Equal(4, spool.Peek(4, 1_000_000).Count);
        Assert.Single(spool.Peek(10, 1));
        var size = spool.Peek(1, 1)[0].Message.Length;
        Assert.Equal(2, spool.Peek(10, 2 * (size + 100)).Count);
    }

    [Fact]
    public async Task Whoever_waits_is_woken_by_the_next_interval()
    {
        using var spool = Spool.Open(_folder);
        var waiting = spool.WaitAsync(CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        spool.Append(Intervals.Of(0));
        await waiting.WaitAsync(TimeSpan.FromSeconds(10));
        spool.Confirm(1, 1);
        using var end = new CancellationTokenSource();
        waiting = spool.WaitAsync(end.Token);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
