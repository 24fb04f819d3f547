using System.Security.Cryptography;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Events;
using Sekisho.Storage.Keys;
using Sekisho.Tests.Support;

namespace Sekisho.Devices.Tests.Tokens;

public sealed class TokenTableTests(ITestOutputHelper output)
{
    [Fact]
    public void A_check_holds_its_budget()
    {
        var clock = new ManualClock();
        var hashes = new CredentialHashes(new MasterKey(RandomNumberGenerator.GetBytes(MasterKey.Size)));
        var table = new TokenTable(hashes, TimeProvider.System);
        var holder = new TokenHolder("d123", "home");
        var token = NewCredential.Secret();
        Assert.True(hashes.TryToken(token, out var hash));
        table.Put(new TokenPair(new TokenEntry(holder, hash, 1, clock.GetUtcNow(), DateTimeOffset.MaxValue, 1), null));
        Assert.Null(table.Check(token, "d123", "192.0.2.1").Refusal);
        var measured = Budget.Measure("token-check", () =>
        {
            table.Check(token, "d123", "192.0.2.1");
            table.Check(token, "d124", "192.0.2.1");
            table.Check("nonsense", "d123", "192.0.2.1");
        });
        output.WriteLine(measured.ToString());
        Assert.True(measured.Holds, measured.ToString());
        table.Revoke(holder);
        Assert.Equal(RefusalReasons.BadToken, table.Check(token, "d123", "192.0.2.1").Refusal);
    }
}
