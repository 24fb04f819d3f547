using System.Globalization;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Operations.OperatorAudit;

/// <summary>Reading and verifying the operator audit.</summary>
internal static class AuditRoutes
{
    public static void Map(RouteGroups routes)
    {
        routes.Ops.MapGet("/audit", (string? after, int? limit, Databases databases, CancellationToken cancellation) => ListAsync(databases, null, after, limit, cancellation))
            .Watches("operations")
            .WithName("ListOperatorAudit").WithSummary("Lists what operators did, newest first.").WithTags("Operations").Produces<Page<AuditView>>();

        routes.Ops.MapGet("/audit/verification", async (HttpContext context, Databases databases, MasterKey key, Texts texts) =>
            {
                var verdict = await AuditChain.VerifyAsync(databases, key).ConfigureAwait(false);
                var language = RequestLanguage.Of(context);
                return Results.Ok(new VerificationView(
                    verdict.Intact,
                    verdict.Rows,
                    verdict.LastHash,
                    [.. verdict.Faults.Select(f => new AuditFaultView(f.Kind, f.Id, texts.Get("operations.audit." + f.Kind, language, ("id", f.Id.ToString(CultureInfo.InvariantCulture)))))]));
            })
            .Watches("operations")
            .WithName("VerifyOperatorAudit").WithSummary("Checks the whole operator audit for changed, missing, re-ordered and cut-off entries.").WithTags("Operations").Produces<VerificationView>();

        routes.Field.MapGet("/audit", (string fieldId, string? after, int? limit, Databases databases, CancellationToken cancellation) => ListAsync(databases, fieldId, after, limit, cancellation))
            .Reads("history")
            .WithName("ListFieldAudit").WithSummary("Lists what operators did in the field, newest first.").WithTags("Operations").Produces<Page<AuditView>>();
    }

    private static async Task<IResult> ListAsync(Databases databases, string? fieldId, string? after, int? limit, CancellationToken cancellation)
    {
        var before = long.MaxValue;
        if (after is not null && !long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            return Problem.Of(CommonProblems.BadRequest);
        }

        var take = Paging.Limit(limit);
        var filter = fieldId is null ? "" : "AND field_id = @fieldId";
        var rows = (await databases.State.ReadAsync(
            c => c.QueryAsync<AuditRow>($"SELECT {AuditChain.Columns} FROM operator_audit WHERE id < @before {filter} ORDER BY id DESC LIMIT @count", new { before, fieldId, count = take + 1 }),
            cancellation).ConfigureAwait(false)).AsList();
        var next = rows.Count > take ? rows[take - 1].Id.ToString(CultureInfo.InvariantCulture) : null;
        return Results.Ok(new Page<AuditView>([.. rows.Take(take).Select(AuditView.Of)], next));
    }
}

internal sealed record AuditView(long Id, DateTimeOffset At, string Actor, string Action, string? FieldId, string Target, string Outcome, string CorrelationId, string Hash)
{
    public static AuditView Of(AuditRow r) => new(
        r.Id, DateTimeOffset.FromUnixTimeMilliseconds(r.At), r.Actor, r.Action, r.FieldId, r.Target, r.Outcome, r.CorrelationId, Convert.ToHexStringLower(r.Hash));
}

internal sealed record AuditFaultView(string Kind, long Id, string Message);

internal sealed record VerificationView(bool Intact, long Rows, string LastHash, IReadOnlyList<AuditFaultView> Faults);
