using Sekisho.Response.Sim.Carriers;

namespace Sekisho.Response.Sim.Cards;

/// <summary>A SIM that devices of a field are linked to.</summary>
/// <param name="Id">"s" and 15 characters of 0-9 and a-z: stands for the SIM wherever its names must not stand in clear.</param>
/// <param name="FieldId">The only field it belongs to.</param>
/// <param name="Names">What it is called.</param>
/// <param name="ToldUntil">Up to when its traffic was told to detection; null for not yet.</param>
internal sealed record SimCard(string Id, string FieldId, CardNames Names, DateTimeOffset? ToldUntil);

/// <summary>The part of a card that is stored encrypted.</summary>
/// <param name="SimId">The carrier's identifier.</param>
/// <param name="Given">How the administrator named it.</param>
internal sealed record CardNames(string SimId, SimName Given);

/// <summary>What a lease asked of a SIM.</summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="CardId">The SIM.</param>
/// <param name="Before">State before the first response that switched it off; where an undo goes back to.</param>
/// <param name="Wanted">State asked for.</param>
/// <param name="Owned">The SIM is off because of responses (this one or one it joined), so that the last undo switches it on.</param>
internal sealed record SimOrder(string LeaseId, string CardId, string Before, string Wanted, bool Owned);
