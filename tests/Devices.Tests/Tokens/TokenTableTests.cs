using System.Security.Cryptography;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Events;
using Sekisho.Storage.Keys;
using Sekisho.Tests.Support;

namespace Sekisho.Devices.Tests.Tokens;

public sealed class TokenTableTests
{
    [Fact]
    public void A_check_allocates_nothing()
    {
        var clock = new ManualClock();
        var hashes = new CredentialHashes(new MasterKey(RandomNumberGenerator.GetBytes(MasterKey.Size)));
        var table = new TokenTable(hashes, TimeProvider.System);
        var holder = new TokenHolder("d123", "home");
        var token = NewCredential.Secret();
        Assert.True(hashes.TryToken(token, out var hash));
        table.Put(new TokenPair(new TokenEntry(holder, hash, 1, clock.GetUtcNow(), DateTimeOffset.MaxValue, 1), null));
        for (var i = 0; i < 1000; i++)
        {
            Assert.Null(table.Check(token, "d123", "192.0.2.1").Refusal);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            table.Check(token, "d123", "192.0.2.1");
            table.Check(token, "d124", "192.0.2.1");
            table.Check("nonsense", "d123", "192.0.2.1");
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        table.Revoke(holder);
        Assert.Equal(RefusalReasons.BadToken, table.Check(token, "d123", "192.0.2.1").Refusal);
    }
}
