using Microsoft.Data.Sqlite;

namespace Sekisho.Distribution.Journal;

/// <summary>
/// Keeps the journal within its bounds: counts what is stored, refuses when it is too much, removes what is released in slices, and moves the
/// write-ahead log into the file beside the commits. The journal thread only, except that a checkpoint runs on a thread of its own.
/// </summary>
internal sealed class JournalSpace(JournalStore store, JournalSettings settings)
{
    private const int CommitsPerRemoval = 16;
    private const long BytesPerCheckpoint = 8L << 20;

    // 128 MiB of log pages: from there on the journal thread itself moves the last few, so that the log can start over.
    private const long PagesToFinish = 32 * 1024;

    private readonly DriveInfo? _drive = store.File is { } file ? new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(file))!) : null;
    private long _stored;
    private long _removedUpTo;
    private int _commits;
    private long _written;
    private int _checkpointing; // 0 or 1, interlocked
    private volatile bool _finish;

    public void StartFrom(JournalEnd end) => _stored = end.Bytes;

    /// <summary>Why nothing may be stored now; null when there is room.</summary>
    public string? Shortage(long released, long newest)
    {
        if (_stored >= (long)settings.MaxMiB << 20)
        {
            while (released > _removedUpTo && Remove(released, newest))
            {
                if (_stored < (long)settings.MaxMiB << 20)
                {
                    return null;
                }
            }

            if (_stored >= (long)settings.MaxMiB << 20)
            {
                return "The journal is full because detection has not caught up. Resume or repair detection, or raise Distribution:Journal:MaxMiB.";
            }
        }

        return _drive is not null && _drive.AvailableFreeSpace < (long)settings.MinFreeMiB << 20
            ? "The journal's disk is full. Make room, or lower Distribution:Journal:MinFreeMiB; the gateway goes on by itself."
            : null;
    }

    /// <summary>Stores a block, now and then together with the removal of released ones.</summary>
    public void Commit(in NewBlock block, long released)
    {
        var remove = released > _removedUpTo && ++_commits >= CommitsPerRemoval;
        Forget(store.Commit(block, remove ? released : 0), remove ? released : 0);
        _stored += block.Data.Length;
        _written += block.Data.Length;
    }

    /// <summary>Between two commits: starts a checkpoint beside them when enough was written.</summary>
    public void Tidy()
    {
        if (_finish)
        {
            _finish = false;
            Checkpoint();
        }

        if (_written >= BytesPerCheckpoint && Interlocked.Exchange(ref _checkpointing, 1) == 0)
        {
            _written = 0;

            // Not on the pool: on one core its one thread would serve nobody while the disk syncs.
            new Thread(() =>
            {
                try
                {
                    _finish = Checkpoint();
                }
                finally
                {
                    Volatile.Write(ref _checkpointing, 0);
                }
            })
            { IsBackground = true, Name = "journal-checkpoint" }.Start();
        }
    }

    private bool Remove(long released, long newest)
    {
        var removed = store.Remove(released, newest);
        Forget(removed, released);
        return removed.Bytes > 0;
    }

    private void Forget(Removed removed, long released)
    {
        _stored -= removed.Bytes;
        if (released > 0)
        {
            _commits = 0;
            _removedUpTo = removed.More ? _removedUpTo : released;
        }
    }

    private bool Checkpoint()
    {
        try
        {
            var (pages, moved) = store.Checkpoint();
            return pages > PagesToFinish && moved < pages;
        }
        catch (SqliteException)
        {
            // Full or failing disk: the log keeps what the file could not take, the next commit reports the fault, the next checkpoint tries again.
            return false;
        }
    }
}
