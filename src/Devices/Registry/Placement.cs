using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Registry;

/// <summary>Where a device stands: behind which unit, with which user. Pure.</summary>
/// <param name="FieldId">Its field.</param>
/// <param name="UniqueIdType">Its type.</param>
/// <param name="State">Its lifecycle state.</param>
/// <param name="ParentId">The unit it sits behind.</param>
internal readonly record struct Place(string FieldId, string UniqueIdType, string State, string? ParentId);

/// <summary>Rules for parents and users. Pure.</summary>
internal static class Placement
{
    /// <summary>Key of the broken rule, or null.</summary>
    /// <param name="deviceId">The device to be placed.</param>
    /// <param name="place">Where it is to stand.</param>
    /// <param name="userId">The user it is to belong to.</param>
    /// <param name="find">The other devices.</param>
    public static string? Broken(string deviceId, Place place, string? userId, Func<string, Place?> find)
    {
        var isUser = place.UniqueIdType == UniqueIdTypes.User;
        if (place.ParentId is { } parentId)
        {
            if (isUser || find(parentId) is not { } parent || parent.FieldId != place.FieldId || parent.UniqueIdType == UniqueIdTypes.User || parent.State == LifecycleStates.Retired)
            {
                return "parent";
            }

            // Loops of others cannot be, so the way up ends or comes back here.
            for (string? above = parentId; above is not null; above = find(above)?.ParentId)
            {
                if (above == deviceId)
                {
                    return "parent-cycle";
                }
            }
        }

        if (userId is not null && !(isUser && userId == deviceId))
        {
            if (isUser || find(userId) is not { UniqueIdType: UniqueIdTypes.User } user || user.FieldId != place.FieldId || user.State == LifecycleStates.Retired)
            {
                return "user";
            }
        }

        return null;
    }
}
