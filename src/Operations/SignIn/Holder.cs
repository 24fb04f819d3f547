using Microsoft.AspNetCore.Http;
using Sekisho.Operations.Accounts;

namespace Sekisho.Operations.SignIn;

/// <summary>The person behind a request: account and session. Null for keys and for nobody.</summary>
internal sealed record Holder(Account Account, Session Session)
{
    public static Holder? Of(HttpContext context) => context.Features.Get<Holder>();
}
