using Sekisho.Devices.Lifecycle;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Tests.Lifecycle;

public sealed class LifecycleRulesTests
{
    [Fact]
    public void The_table_of_transitions_is_this()
    {
        var allowed = LifecycleStates.All.ToDictionary(from => from, from => string.Join(' ', LifecycleStates.All.Where(to => LifecycleRules.Allows(from, to))));

        Assert.Equal("active suspended abnormal stray retired", allowed[LifecycleStates.Registered]);
        Assert.Equal("active suspended abnormal stray retired", allowed[LifecycleStates.Pending]);
        Assert.Equal("pending suspended abnormal stray retired", allowed[LifecycleStates.Active]);
        Assert.Equal("registered pending active abnormal stray retired", allowed[LifecycleStates.Suspended]);
        Assert.Equal("registered pending active suspended stray retired", allowed[LifecycleStates.Abnormal]);
        Assert.Equal("registered pending active suspended abnormal retired", allowed[LifecycleStates.Stray]);
        Assert.Equal("", allowed[LifecycleStates.Retired]);
    }

    [Fact]
    public void Locked_out_and_retired_devices_are_refused_and_the_incumbent_of_a_conflict_is_not() =>
        Assert.Equal(["suspended", "abnormal", "stray", "retired"], LifecycleStates.All.Where(s => LifecycleRules.Refusal(s) is not null));

    [Theory]
    [InlineData(false, false, LifecycleStates.Registered)]
    [InlineData(false, true, LifecycleStates.Registered)]
    [InlineData(true, false, LifecycleStates.Active)]
    [InlineData(true, true, LifecycleStates.Pending)]
    public void A_release_leads_to_what_the_device_is_fit_for(bool bound, bool conflict, string state)
    {
        Assert.Equal(state, LifecycleRules.AfterRelease(bound, conflict));
        Assert.True(LifecycleRules.Allows(LifecycleStates.Suspended, state));
    }
}
