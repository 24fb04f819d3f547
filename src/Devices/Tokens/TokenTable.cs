using System.Collections.Concurrent;
using System.Threading.Channels;
using Sekisho.Devices.Credentials;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Devices.Tokens;

/// <summary>
/// Every token by its keyed hash. The check of a message's token is a hot path: memory only, no lock, no allocation. Any thread; changes of
/// one device's tokens come one at a time, in the device's turn.
/// </summary>
internal sealed class TokenTable(CredentialHashes hashes, TimeProvider clock) : ITokenCheck
{
    private readonly ConcurrentDictionary<HashKey, TokenEntry> _tokens = new();

    // When it is full the mark is taken back, so that the next use of the token tries again.
    private readonly Channel<TokenHolder> _noticed = Channel.CreateBounded<TokenHolder>(new BoundedChannelOptions(4096) { SingleReader = true });

    /// <summary>Devices of which something durable is to be noted: first use of a new token, or an incumbent that showed itself.</summary>
    public ChannelReader<TokenHolder> Noticed => _noticed.Reader;

    public TokenVerdict Check(ReadOnlySpan<char> token, ReadOnlySpan<char> deviceId, string source)
    {
        if (!hashes.TryToken(token, out var hash) || !_tokens.TryGetValue(hash, out var entry) || !deviceId.SequenceEqual(entry.Holder.DeviceId))
        {
            return new TokenVerdict(RefusalReasons.BadToken, null, null, 0);
        }

        var holder = entry.Holder;
        var now = clock.GetUtcNow();
        var hasRunOut = now >= entry.ExpiresAt;
        if (holder.Refusal is { } refusal)
        {
            return new TokenVerdict(refusal, holder.DeviceId, holder.FieldId, 0) { HasRunOut = hasRunOut };
        }

        if (hasRunOut)
        {
            return new TokenVerdict(RefusalReasons.ExpiredToken, holder.DeviceId, holder.FieldId, 0);
        }

        if (holder.Note(now, source) && !_noticed.Writer.TryWrite(holder))
        {
            holder.ReportAgain();
        }

        if (!entry.Used)
        {
            FirstUse(entry);
        }

        return new TokenVerdict(null, holder.DeviceId, holder.FieldId, entry.Epoch);
    }

    /// <summary>The token of this device that the text is, alive or expired; null when it is none.</summary>
    public TokenEntry? Find(ReadOnlySpan<char> token, TokenHolder holder) =>
        hashes.TryToken(token, out var hash) && _tokens.TryGetValue(hash, out var entry) && ReferenceEquals(entry.Holder, holder) ? entry : null;

    /// <summary>Makes a token that was committed valid.</summary>
    public void Put(TokenPair pair)
    {
        var holder = pair.Present.Holder;
        var before = holder.Tokens;
        _tokens[pair.Present.Hash] = pair.Present;
        if (pair.Previous is { } previous)
        {
            _tokens[previous.Hash] = previous;
        }

        holder.Tokens = pair;
        foreach (var old in (TokenEntry?[])[before?.Present, before?.Previous])
        {
            if (old is not null && old != pair.Present && old != pair.Previous)
            {
                _tokens.TryRemove(old.Hash, out _);
            }
        }
    }

    /// <summary>Ends all tokens of a device.</summary>
    public void Revoke(TokenHolder holder)
    {
        if (holder.Tokens is { } pair)
        {
            holder.Tokens = null;
            _tokens.TryRemove(pair.Present.Hash, out _);
            if (pair.Previous is { } previous)
            {
                _tokens.TryRemove(previous.Hash, out _);
            }
        }
    }

    // The answer that carried the new token arrived: the token before it has no purpose any more.
    private void FirstUse(TokenEntry entry)
    {
        entry.Used = true;
        if (entry.Holder.Tokens is { Previous: { } previous } pair && ReferenceEquals(pair.Present, entry))
        {
            _tokens.TryRemove(previous.Hash, out _);
            entry.Used = _noticed.Writer.TryWrite(entry.Holder);
        }
    }
}
