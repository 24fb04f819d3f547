using System.Text.Json;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;
using Sekisho.Response.Policies;
using Sekisho.Scripting;

namespace Sekisho.Response.Actions.RunScript;

/// <summary>Reads what a response script returns: a list of orders, in the shape of rules. Pure.</summary>
internal static class ScriptOrders
{
    /// <summary>Most orders of one run.</summary>
    public const int Most = 16;

    /// <summary>Longest time after which a later step comes; that of rules.</summary>
    public const long LongestAfter = 7 * 24 * 3600;

    /// <summary>Reads them.</summary>
    /// <param name="returned">JSON list of the values that the function returned.</param>
    /// <param name="orders">Receives them.</param>
    /// <returns>What is wrong, for the author of the script; null when nothing is. Then none of them counts.</returns>
    public static string? Read(ReadOnlyMemory<byte> returned, List<DueAction> orders)
    {
        using var document = JsonDocument.Parse(returned);
        var values = document.RootElement;
        if (values.GetArrayLength() == 0 || IsNothing(values[0]))
        {
            return null;
        }

        if (values[0].ValueKind != JsonValueKind.Array)
        {
            return "a list of orders is returned: { { action = \"mail\" } }";
        }

        if (values[0].GetArrayLength() > Most)
        {
            return FormattableString.Invariant($"more than {Most} orders");
        }

        foreach (var order in values[0].EnumerateArray())
        {
            if (Order(order, out var due) is { } wrong)
            {
                return FormattableString.Invariant($"order {orders.Count + 1}: {wrong}");
            }

            if (orders.Exists(o => o.Action == due!.Action))
            {
                return FormattableString.Invariant($"order {orders.Count + 1}: '{due!.Action}' is ordered twice");
            }

            orders.Add(due!);
        }

        return null;
    }

    // Lua does not tell an empty list from an empty table.
    private static bool IsNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };

    private static string? Order(JsonElement order, out DueAction? due)
    {
        due = null;
        if (order.ValueKind != JsonValueKind.Object)
        {
            return "an order is a table with an action";
        }

        string? action = null, approval = null, reason = null;
        var after = 0.0;
        foreach (var part in order.EnumerateObject())
        {
            switch (part.Name)
            {
                case "action" when part.Value.ValueKind == JsonValueKind.String:
                    action = part.Value.GetString();
                    break;
                case "approval" when part.Value.ValueKind == JsonValueKind.String && Approvals.All.Contains(part.Value.GetString()!):
                    approval = part.Value.GetString();
                    break;
                case "after" when part.Value.ValueKind == JsonValueKind.Number && part.Value.GetDouble() is >= 0 and <= LongestAfter and var seconds:
                    after = seconds;
                    break;
                case "reason" when part.Value.ValueKind == JsonValueKind.String && part.Value.GetString()!.Length <= Lease.LongestReason:
                    reason = FindingSentence.OneLine(part.Value.GetString()!);
                    break;
                default:
                    return FormattableString.Invariant(
                        $"action is a text, after 0 to {LongestAfter} seconds, approval one of {string.Join(", ", Approvals.All)}, reason a text of at most {Lease.LongestReason} characters; there is nothing else");
            }
        }

        if (!ScriptName.IsGood(action))
        {
            return "there is no name of an action";
        }

        if (action == RunScriptAction.ActionName)
        {
            return "a script cannot order another script";
        }

        due = new DueAction(action!, approval ?? Approvals.Automatic, TimeSpan.FromSeconds(Math.Floor(after))) { Reason = reason };
        return null;
    }
}
