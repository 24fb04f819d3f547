using System.Globalization;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Uplink;

/// <summary>An interval that waits.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="Message">As <see cref="IntervalCodec"/> made it.</param>
public sealed record SpooledInterval(long Sequence, byte[] Message);

/// <summary>
/// Intervals on disk until the gateway has them: segments that are only appended to, each record with a checksum, bounded in bytes. Any thread.
/// <para>
/// A number is given once. An interval can be sent only after its record was synced, so the next number after a crash, one above the newest record
/// and above what the gateway confirmed, was never on the wire. The newest segment stays even when all of it was confirmed.
/// </para>
/// </summary>
public sealed class Spool : IDisposable
{
    /// <summary>Bytes on disk unless told otherwise: a day of a factory of 108 devices.</summary>
    public const long UsualBytes = 128 * 1024 * 1024;

    /// <summary>The least that can be given.</summary>
    public const long LeastBytes = 1024 * 1024;

    // So much of the whole is dropped at once when it is full.
    private const int Parts = 16;

    private readonly Lock _turn = new(); // guards everything below
    private readonly string _folder;
    private readonly long _mostBytes;
    private readonly FileStream _lock;
    private readonly List<Segment> _segments = [];
    private SpoolPosition _position;
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Spool(string folder, long mostBytes, FileStream @lock) => (_folder, _mostBytes, _lock) = (folder, mostBytes, @lock);

    /// <summary>Intervals that wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_turn)
            {
                return _segments.Sum(s => s.Waiting.Count);
            }
        }
    }

    /// <summary>Intervals lost since the sensor was set up: for want of room, or because the disk failed.</summary>
    public long Lost
    {
        get
        {
            lock (_turn)
            {
                return _position.Lost;
            }
        }
    }

    /// <summary>Opens the spool in a folder, or starts one.</summary>
    /// <param name="folder">A folder of its own; made for its owner only.</param>
    /// <param name="mostBytes">Bytes on disk at most; at least <see cref="LeastBytes"/>.</param>
    /// <exception cref="IOException">The folder cannot be written, or another sensor uses it.</exception>
    public static Spool Open(string folder, long mostBytes = UsualBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mostBytes, LeastBytes);
        PrivateFile.Folder(folder);
        var spool = new Spool(folder, mostBytes, PrivateFile.Open(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        try
        {
            spool.Load();
            return spool;
        }
        catch
        {
            spool.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Gives an interval its number, completes its state with what waits and what was lost, and keeps it. It is on the disk when this returns.
    /// </summary>
    /// <returns>The number; null when the disk did not take it, which is counted as lost.</returns>
    /// <exception cref="ArgumentException">A value of the interval is outside what its documentation says.</exception>
    public long? Append(IntervalFeatures interval)
    {
        ArgumentNullException.ThrowIfNull(interval);
        lock (_turn)
        {
            var sequence = Next();
            var state = interval.State with { Waiting = _segments.Sum(s => s.Waiting.Count), Lost = _position.Lost };
            var record = SpoolRecord.Of(sequence, IntervalCodec.Encode(interval with { Sequence = sequence, State = state }));
            try
            {
                MakeRoom(record.Length);
                Newest(sequence, record.Length).Append(sequence, record);
            }
            catch (IOException)
            {
                // The number was not used, so the gateway sees no gap; the next report says what was lost.
                _position = _position with { Lost = _position.Lost + 1 };
                return null;
            }

            _arrived.TrySetResult();
            return sequence;
        }
    }

    /// <summary>The oldest intervals that wait, as many as fit into one upload; empty when none waits.</summary>
    public IReadOnlyList<SpooledInterval> Peek(int most, int mostBytes)
    {
        lock (_turn)
        {
            var found = new List<SpooledInterval>();
            var bytes = 0L;
            foreach (var segment in _segments)
            {
                var damaged = 0;
                foreach (var entry in segment.Waiting)
                {
                    if (found.Count > 0 && (found.Count == most || bytes + entry.Size > mostBytes))
                    {
                        return found;
                    }

                    if (segment.Read(entry) is not { } message)
                    {
                        damaged++;
                        continue;
                    }

                    bytes += entry.Size;
                    found.Add(new SpooledInterval(entry.Sequence, message));
                }

                if (damaged > 0 && found.Count == 0)
                {
                    // All that waits here is unreadable: it is given up, or it would be looked at for ever.
                    _position = _position with { Lost = _position.Lost + damaged };
                    segment.Waiting.Clear();
                }
            }

            return found;
        }
    }

    /// <summary>Completes when an interval waits.</summary>
    public Task WaitAsync(CancellationToken cancellation)
    {
        lock (_turn)
        {
            if (_segments.Any(s => s.Waiting.Count > 0))
            {
                return Task.CompletedTask;
            }

            if (_arrived.Task.IsCompleted)
            {
                _arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return _arrived.Task.WaitAsync(cancellation);
        }
    }

    /// <summary>Forgets the intervals up to a number, because the gateway has them; numbers go on above it.</summary>
    /// <param name="upTo">What the gateway has.</param>
    /// <param name="sent">The highest number that was sent; what waits above it up to <paramref name="upTo"/> can never be sent and is counted as lost.</param>
    public void Confirm(long upTo, long sent)
    {
        lock (_turn)
        {
            if (upTo <= _position.Confirmed)
            {
                return;
            }

            var lost = _position.Lost + _segments.Sum(s => s.Waiting.Count(e => e.Sequence > sent && e.Sequence <= upTo));
            _position = new SpoolPosition(upTo, lost);

            // First what is confirmed, then the end of its records: a crash between the two sends nothing twice.
            SavePosition();
            foreach (var segment in _segments)
            {
                while (segment.Waiting.TryPeek(out var entry) && entry.Sequence <= upTo)
                {
                    segment.Waiting.Dequeue();
                }
            }

            DropConfirmed();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_turn)
        {
            foreach (var segment in _segments)
            {
                segment.Dispose();
            }

            _segments.Clear();
            _lock.Dispose();
        }
    }

    private string PositionFile => Path.Combine(_folder, "position");

    private long Next() => Math.Max(_position.Confirmed, _segments.Count == 0 ? 0 : _segments[^1].Last) + 1;

    private void Load()
    {
        _position = SpoolPosition.Read(PositionFile);
        var files = Directory.GetFiles(_folder, "*.seg").Order(StringComparer.Ordinal).ToList();
        foreach (var file in files)
        {
            if (!long.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out var first))
            {
                continue;
            }

            _segments.Add(Segment.Open(file, _position.Confirmed, first - 1));
        }

        DropConfirmed();
    }

    private Segment Newest(long sequence, int bytes)
    {
        // After a jump of numbers a new segment begins, whose name says so.
        if (_segments.Count > 0 && _segments[^1].Last == sequence - 1 && _segments[^1].Bytes + bytes <= _mostBytes / Parts)
        {
            return _segments[^1];
        }

        var segment = Segment.Create(_folder, sequence);
        _segments.Add(segment);
        DropConfirmed();
        return segment;
    }

    private void MakeRoom(int bytes)
    {
        var lost = 0;
        while (_segments.Count > 1 && _segments.Sum(s => s.Bytes) + bytes + SpoolRecord.Begin.Length > _mostBytes)
        {
            lost += _segments[0].Waiting.Count;
            DropOldest();
        }

        if (lost > 0)
        {
            _position = _position with { Lost = _position.Lost + lost };
            SavePosition();
        }
    }

    private void SavePosition()
    {
        try
        {
            PrivateFile.Replace(PositionFile, _position.ToBytes());
        }
        catch (IOException)
        {
            // A full disk: going on makes room. After a crash the gateway is sent what it has, says so, and nothing is counted twice.
        }
    }

    private void DropConfirmed()
    {
        while (_segments.Count > 1 && _segments[0].Waiting.Count == 0)
        {
            DropOldest();
        }
    }

    private void DropOldest()
    {
        _segments[0].Delete();
        _segments.RemoveAt(0);
    }
}
