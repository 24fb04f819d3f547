using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Mapping;

/// <summary>Reads and replaces the mapping of a field.</summary>
internal static class MappingRoutes
{
    private const int MaxMarks = 100;

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapGet("/mapping", (string fieldId, MappingCatalog mappings) => TypedResults.Ok(Shown(fieldId, mappings)))
            .Reads("mapping").WithName("ReadMapping").WithTags("Distribution")
            .WithSummary("Reads where the field's messages carry time, sequence and mode, and which properties are sensitive, transient or dropped.")
            .Produces<MappingView>();

        routes.Field.MapPut("/mapping", PutAsync)
            .Administers("mapping", "mapping.change").WithName("ChangeMapping").WithTags("Distribution")
            .WithSummary("Replaces the field's mapping; it holds for the next message.")
            .Produces<MappingView>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> PutAsync(string fieldId, MappingChange change, HttpContext context, MappingCatalog mappings, Texts texts, CancellationToken cancellation)
    {
        var faults = new List<Fault>();
        One("/deviceTime", change.DeviceTime);
        One("/sequence", change.Sequence);
        One("/mode", change.Mode);
        One("/place", change.Place);
        One("/path", change.Path);
        Many("/sensitive", change.Sensitive);
        Many("/transient", change.Transient);
        Many("/dropped", change.Dropped);
        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var mapping = new FieldMapping(change.DeviceTime, change.Sequence, change.Mode, change.Sensitive ?? [], change.Transient ?? [], change.Dropped ?? [], change.Place, change.Path);
        return await mappings.ReplaceAsync(fieldId, mapping, change.Version, cancellation).ConfigureAwait(false) is null
            ? Problem.Of(CommonProblems.Conflict)
            : TypedResults.Ok(Shown(fieldId, mappings));

        void One(string place, string? pointer)
        {
            if (pointer is not null && Pointer.Parse(pointer) is null)
            {
                Fault(place, "distribution.fault.pointer");
            }
        }

        void Many(string place, IReadOnlyList<string>? pointers)
        {
            if (pointers?.Count > MaxMarks)
            {
                Fault(place, "distribution.fault.pointers-count");
                return;
            }

            for (var i = 0; i < pointers?.Count; i++)
            {
                if (Pointer.Parse(pointers[i]) is null)
                {
                    Fault($"{place}/{i}", "distribution.fault.pointer");
                }
            }
        }

        void Fault(string place, string key) => faults.Add(new Fault(place, texts.Get(key, RequestLanguage.Of(context))));
    }

    private static MappingView Shown(string fieldId, MappingCatalog mappings)
    {
        var (now, version) = mappings.Written(fieldId) ?? (FieldMapping.Default, 0);
        return new MappingView(version, now.DeviceTime, now.Sequence, now.Mode, now.Sensitive, now.Transient, now.Dropped, now.Place, now.Path);
    }
}

/// <summary>The mapping in force. Version 0 means the default.</summary>
internal sealed record MappingView(
    long Version, string? DeviceTime, string? Sequence, string? Mode, IReadOnlyList<string> Sensitive, IReadOnlyList<string> Transient, IReadOnlyList<string> Dropped,
    string? Place, string? Path);

/// <summary>The mapping to set, whole. Version, when given, must be the one in force.</summary>
internal sealed record MappingChange(
    string? DeviceTime, string? Sequence, string? Mode, IReadOnlyList<string>? Sensitive, IReadOnlyList<string>? Transient, IReadOnlyList<string>? Dropped, long? Version,
    string? Place = null, string? Path = null);
