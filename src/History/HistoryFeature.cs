using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.History.Ledger;
using Sekisho.History.Queries;
using Sekisho.History.Store;
using Sekisho.History.Zones;
using Sekisho.Storage;

namespace Sekisho.History;

/// <summary>⑦ What happened: messages, records and the ledger.</summary>
public static class HistoryFeature
{
    /// <summary>Registers the stage.</summary>
    public static IServiceCollection AddHistory(this IServiceCollection services)
    {
        services.AddSettings<LedgerSettings>("History:Ledger").AddSettings<SearchSettings>("History:Search");
        services.AddSingleton(new StageMigrations("History", typeof(HistoryFeature).Assembly));
        services.AddSingleton(typeof(HistoryFeature).Assembly);

        // Store
        services.AddSingleton<ChunkCipher>().AddSingleton<DetailsCipher>().AddSingleton<ChunkWriter>();
        services.AddSingleton<DeviceTail>().AddHostedService<TailLoader>();
        services.AddSingleton<RecentChunks>();
        services.AddSingleton<MessageStore>().AddSingleton<IMessageStore>(p => p.GetRequiredService<MessageStore>());
        services.AddSingleton<EventBlocks>().AddSingleton<IEventHistory, EventHistory>();
        services.AddSingleton<IHistory, RecordWriter>();
        services.AddSingleton<ILaneCommitPart, LaneRecords>();

        // Ledger
        services.AddSingleton<LedgerBook>().AddSingleton<ILedger>(p => p.GetRequiredService<LedgerBook>());
        services.AddSingleton<LedgerReader>();
        services.AddHostedService<LedgerWatch>();

        // Queries
        services.AddSingleton<FieldClock>().AddSingleton<RecordSource>().AddSingleton<DataSource>().AddSingleton<DeviceChunks>();
        services.AddSingleton<IHistoryFeed, RecordFeed>();
        services.AddSingleton<HistorySearch>().AddSingleton<MessageSearch>();
        return services;
    }

    /// <summary>Maps the stage's routes.</summary>
    public static void MapHistory(this RouteGroups routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        HistoryRoutes.Map(routes);
        LedgerRoutes.Map(routes);
    }
}
