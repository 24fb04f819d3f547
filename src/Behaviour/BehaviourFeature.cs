using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Behaviour.Intake;
using Sekisho.Behaviour.Orders;
using Sekisho.Behaviour.Pictures;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.Devices;
using Sekisho.Storage;

namespace Sekisho.Behaviour;

/// <summary>Behaviour on the wire: traffic sensors, and what they see.</summary>
public static class BehaviourFeature
{
    /// <summary>Registers the stage. It needs <see cref="Databases"/>, the master key, texts, a clock, the device directory, the authority of sensors and the history.</summary>
    public static IServiceCollection AddBehaviour(this IServiceCollection services)
    {
        services.AddSettings<SensorSettings>("Behaviour:Sensors");
        services.AddSingleton(new StageMigrations("Behaviour", typeof(BehaviourFeature).Assembly));
        services.AddSingleton(typeof(BehaviourFeature).Assembly);

        services.AddSingleton<Sealed>();
        services.AddSingleton<SensorStore>();
        services.AddSingleton<SensorBook>();
        services.AddSingleton<SensorDesk>();
        services.AddSingleton<AttemptLimit>();
        services.AddSingleton<Enrolment>();
        services.AddSingleton<IntervalStore>();
        services.AddSingleton<IntervalIntake>();
        services.AddSingleton<RecentWindows>();

        services.AddSingleton<OrderSignal>();
        services.AddSingleton<MeasureStore>();
        services.AddSingleton<OrderDesk>();
        services.AddSingleton<INetworkEnforcement, NetworkEnforcement>();

        services.AddHostedService<SensorStart>();
        services.AddHostedService<SilenceWatch>();
        return services;
    }

    /// <summary>Maps the stage's routes.</summary>
    public static void MapBehaviour(this RouteGroups routes)
    {
        SensorRoutes.Map(routes);
        EnrolmentRoutes.Map(routes);
        IntervalRoutes.Map(routes);
        PictureRoutes.Map(routes);
        OrderRoutes.Map(routes);
        MeasureRoutes.Map(routes);
        SensorDeletion.Map(routes);
    }
}
