using Sekisho.Devices.Registry;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Tests.Registry;

public sealed class PlacementTests
{
    private static readonly Dictionary<string, Place> Known = new()
    {
        ["unit"] = new Place("home", UniqueIdTypes.Mac, LifecycleStates.Active, null),
        ["child"] = new Place("home", UniqueIdTypes.Serial, LifecycleStates.Active, "unit"),
        ["grandchild"] = new Place("home", UniqueIdTypes.Serial, LifecycleStates.Active, "child"),
        ["retired"] = new Place("home", UniqueIdTypes.Serial, LifecycleStates.Retired, null),
        ["foreign"] = new Place("cars", UniqueIdTypes.Serial, LifecycleStates.Active, null),
        ["hanako"] = new Place("home", UniqueIdTypes.User, LifecycleStates.Active, null),
    };

    [Theory]
    [InlineData("new", UniqueIdTypes.Serial, null, null, null)]
    [InlineData("new", UniqueIdTypes.Serial, "grandchild", "hanako", null)]
    [InlineData("new", UniqueIdTypes.Serial, "nobody", null, "parent")]
    [InlineData("new", UniqueIdTypes.Serial, "foreign", null, "parent")]
    [InlineData("new", UniqueIdTypes.Serial, "retired", null, "parent")]
    [InlineData("new", UniqueIdTypes.Serial, "hanako", null, "parent")]
    [InlineData("new", UniqueIdTypes.User, "unit", null, "parent")]
    [InlineData("unit", UniqueIdTypes.Mac, "unit", null, "parent-cycle")]
    [InlineData("unit", UniqueIdTypes.Mac, "grandchild", null, "parent-cycle")]
    [InlineData("new", UniqueIdTypes.Serial, null, "unit", "user")]
    [InlineData("new", UniqueIdTypes.Serial, null, "nobody", "user")]
    [InlineData("new", UniqueIdTypes.User, null, "hanako", "user")]
    [InlineData("hanako", UniqueIdTypes.User, null, "hanako", null)]
    public void A_device_stands_behind_a_unit_of_its_field_and_belongs_to_a_user_of_it(string device, string type, string? parent, string? user, string? broken) => Assert.Equal(
        broken, Placement.Broken(device, new Place("home", type, LifecycleStates.Active, parent), user, id => Known.TryGetValue(id, out var place) ? place : null));
}
