using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Commands;

/// <summary>Commands of a field: for the field's cloud, which sends them, and for the people who decide on those that are held.</summary>
internal static class CommandRoutes
{
    private const int LongestKey = 64;
    private const int LongestReason = 500;

    // The one who lets a held command go is a person, so that nobody can build a key that answers itself.
    private static readonly RouteAccess Person = new([Roles.Administrator, Roles.Responder], Scope: null);

    public static void Map(RouteGroups routes)
    {
        routes.Field.MapPost("/devices/{deviceId}/commands", SendAsync)
            .Administers("commands", "command.send").WithName("SendCommand").WithTags("Distribution")
            .WithSummary("Asks a device to do something. 202: it waits for the device, or is held for a person; 200: the same idempotency key came before.")
            .Accepts<CommandBodyShape>("application/json").Produces<CommandView>(StatusCodes.Status202Accepted).Produces<CommandView>()
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status429TooManyRequests);
        routes.Field.MapGet("/devices/{deviceId}/commands", (string fieldId, string deviceId, HttpContext context, string? state, string? after, int? limit, CommandStore store, IDeviceDirectory devices, Texts texts, CancellationToken cancellation) =>
                devices.Device(deviceId)?.FieldId == fieldId ? ListAsync(fieldId, deviceId, context, state, after, limit, store, texts, cancellation) : Task.FromResult<IResult>(Problem.Of(CommonProblems.NotFound)))
            .Reads("commands").WithName("ListCommands").WithTags("Distribution").WithSummary("Lists the commands to a device, newest first.")
            .Produces<Page<CommandView>>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        routes.Field.MapGet("/commands", (string fieldId, HttpContext context, string? state, string? after, int? limit, CommandStore store, Texts texts, CancellationToken cancellation) =>
                ListAsync(fieldId, null, context, state, after, limit, store, texts, cancellation))
            .Reads("commands").WithName("ListFieldCommands").WithTags("Distribution").WithSummary("Lists the commands to all devices of the field, newest first; state=held shows those that wait for a person.")
            .Produces<Page<CommandView>>().ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        routes.Field.MapGet("/commands/{commandId}", async (string fieldId, string commandId, HttpContext context, CommandStore store, Texts texts, CancellationToken cancellation) =>
                await OwnAsync(fieldId, commandId, store, cancellation).ConfigureAwait(false) is { } command
                    ? (IResult)TypedResults.Ok(CommandView.Of(command, texts, RequestLanguage.Of(context)))
                    : Problem.Of(CommonProblems.NotFound))
            .Reads("commands").WithName("ReadCommand").WithTags("Distribution").WithSummary("Reads a command and what became of it.")
            .Produces<CommandView>().ProducesProblem(StatusCodes.Status404NotFound);
        routes.Field.MapPost("/commands/{commandId}/withdraw", (string fieldId, string commandId, CommandReason reason, HttpContext context, CommandStore store, IDeviceCommands commands, Texts texts, CancellationToken cancellation) =>
                DecideAsync(fieldId, commandId, reason, context, store, texts, commands.WithdrawAsync, cancellation))
            .Administers("commands", "command.withdraw").WithName("WithdrawCommand").WithTags("Distribution").WithSummary("Takes a command back that the device has not fetched.")
            .Produces<CommandView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        routes.Field.MapPost("/commands/{commandId}/release", (string fieldId, string commandId, CommandReason reason, HttpContext context, CommandStore store, IDeviceCommands commands, Texts texts, CancellationToken cancellation) =>
                DecideAsync(fieldId, commandId, reason, context, store, texts, commands.ReleaseAsync, cancellation))
            .WithMetadata(Person, new Change("command.release")).WithName("ReleaseCommand").WithTags("Distribution")
            .WithSummary("Lets a held command go to its device. People only, and not the one who sent it.")
            .Produces<CommandView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        routes.Field.MapPost("/commands/{commandId}/refuse", (string fieldId, string commandId, CommandReason reason, HttpContext context, CommandStore store, IDeviceCommands commands, Texts texts, CancellationToken cancellation) =>
                DecideAsync(fieldId, commandId, reason, context, store, texts, commands.WithdrawAsync, cancellation, isForHeld: true))
            .WithMetadata(Person, new Change("command.refuse")).WithName("RefuseCommand").WithTags("Distribution").WithSummary("Refuses a held command: it is withdrawn, the device never gets it.")
            .Produces<CommandView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        MapList(routes);
    }

    private static void MapList(RouteGroups routes)
    {
        // No scope that keys may have: whoever writes the list decides what keys may send.
        routes.Field.MapGet("/command-list", (string fieldId, HttpContext context, CommandLists lists, Texts texts) => TypedResults.Ok(Shown(fieldId, context, lists, texts)))
            .Reads("command-list").WithName("ReadCommandList").WithTags("Distribution").WithSummary("Reads which commands go to devices without a person; everything else is held.")
            .Produces<CommandListView>();
        routes.Field.MapPut("/command-list", async (string fieldId, CommandListChange change, HttpContext context, CommandLists lists, Texts texts, CancellationToken cancellation) =>
            {
                var check = new CommandListCheck(key => texts.Get("distribution.fault." + key, RequestLanguage.Of(context)));
                var document = new CommandListDocument(change.Commands);
                return !check.Look(document) ? Problem.Of(CommonProblems.Invalid, check.Faults)
                    : await lists.ReplaceAsync(fieldId, document, change.Revision, cancellation).ConfigureAwait(false) is null ? Problem.Of(CommonProblems.Conflict)
                    : (IResult)TypedResults.Ok(Shown(fieldId, context, lists, texts));
            })
            .Administers("command-list", "command-list.change").WithName("ChangeCommandList").WithTags("Distribution").WithSummary("Replaces the field's command list whole. It holds for the next command; what is held stays held.")
            .Produces<CommandListView>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> SendAsync(string fieldId, string deviceId, HttpContext context, CommandDesk desk, IDeviceDirectory devices, Texts texts, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        if (devices.Device(deviceId) is not { } device || device.FieldId != fieldId)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        if (device.State == LifecycleStates.Retired)
        {
            return Problem.Of(CommandProblems.DeviceRetired);
        }

        if (await CommandBody.ReadAsync(context, CommandBody.MostOfCommand, cancellation).ConfigureAwait(false) is not { } body)
        {
            return Problem.Of(CommandProblems.TooLarge, ("bytes", $"{CommandBody.MostOfCommand}"));
        }

        if (CommandBody.Parse(body) is not { } json)
        {
            return Problem.Of(CommandProblems.Malformed);
        }

        var faults = new List<(string Place, string Key)>();
        var request = CommandRequest.Read(json, faults);
        var key = KeyOf(context.Request.Headers["Idempotency-Key"], faults);
        if (request is null || faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, [.. faults.Select(f => new Fault(f.Place, texts.Get("distribution.fault." + f.Key, language)))]);
        }

        var result = await desk.SendAsync(device, SenderOf(context), request, key, Correlation.Of(context), cancellation).ConfigureAwait(false);
        if (result.Command is not { } command)
        {
            return Problem.Of(CommonProblems.TooMany).After(result.Wait);
        }

        if (result.IsRepeat && (command.DeviceId != deviceId || command.Name != request.Name || command.Content.Arguments != request.ArgumentsText()))
        {
            return Problem.Of(CommandProblems.KeyUsed);
        }

        var view = CommandView.Of(command, texts, language);
        return result.IsRepeat ? TypedResults.Ok(view) : TypedResults.Accepted($"/api/v1/fields/{fieldId}/commands/{command.Id}", view);
    }

    private static async Task<IResult> ListAsync(
        string fieldId, string? deviceId, HttpContext context, string? state, string? after, int? limit, CommandStore store, Texts texts, CancellationToken cancellation)
    {
        var language = RequestLanguage.Of(context);
        var faults = new List<Fault>();
        if (state is not null && !CommandStates.All.Contains(state))
        {
            faults.Add(new Fault("state", texts.Get("distribution.fault.command-state", language)));
        }

        var from = after is null ? null : CommandCursor.Parse(after);
        if (after is not null && from is null)
        {
            faults.Add(new Fault("after", texts.Get("distribution.fault.after", language)));
        }

        if (faults.Count > 0)
        {
            return Problem.Of(CommonProblems.Invalid, faults);
        }

        var most = Paging.Limit(limit);
        var commands = await store.OfFieldAsync(fieldId, deviceId, state, from, most, cancellation).ConfigureAwait(false);
        var next = commands.Count == most ? new CommandCursor(commands[^1].CreatedAt.ToUnixTimeMilliseconds(), commands[^1].Id).ToString() : null;
        return TypedResults.Ok(new Page<CommandView>([.. commands.Select(c => CommandView.Of(c, texts, language))], next));
    }

    private static async Task<IResult> DecideAsync(
        string fieldId,
        string commandId,
        CommandReason request,
        HttpContext context,
        CommandStore store,
        Texts texts,
        Func<string, string, string, string, CancellationToken, Task<CommandDecision>> decide,
        CancellationToken cancellation,
        bool isForHeld = false)
    {
        var language = RequestLanguage.Of(context);
        if (await OwnAsync(fieldId, commandId, store, cancellation).ConfigureAwait(false) is not { } command)
        {
            return Problem.Of(CommonProblems.NotFound);
        }

        var reason = request.Reason?.Trim() ?? "";
        if (reason.Length is 0 or > LongestReason || reason.Any(char.IsControl))
        {
            return Problem.Of(CommonProblems.Invalid, [new Fault("/reason", texts.Get("distribution.fault.command-reason", language))]);
        }

        // The gateway's own orders are taken back where they came from.
        var decision = command.Holder is not null || (isForHeld && command.Shown is not (CommandStates.Held or CommandStates.Withdrawn))
            ? CommandDecision.TooLate
            : await decide(commandId, context.User.NameOf(), reason, Correlation.Of(context), cancellation).ConfigureAwait(false);
        var now = await store.FindAsync(commandId, cancellation).ConfigureAwait(false);
        return decision switch
        {
            CommandDecision.Done => TypedResults.Ok(CommandView.Of(now!, texts, language)),
            CommandDecision.Gone => Problem.Of(CommonProblems.NotFound),
            CommandDecision.SamePerson => Problem.Of(CommandProblems.SamePerson),
            _ => Problem.Of(CommandProblems.WrongState, ("state", now?.Shown ?? command.Shown)),
        };
    }

    // The name of a key begins with its kind already.
    private static CommandSender SenderOf(HttpContext context) => context.User.NameOf() is var name && context.User.HasClaim(Principal.HolderKind, "key")
        ? new CommandSender("key", name.StartsWith("key:", StringComparison.Ordinal) ? name[4..] : name)
        : new CommandSender("account", name);

    private static CommandListView Shown(string fieldId, HttpContext context, CommandLists lists, Texts texts)
    {
        var written = lists.Written(fieldId);
        var note = written is null ? "none" : written.Value.Document.Commands!.Count == 0 ? "empty" : "set";
        return new CommandListView(written?.Version ?? 0, written?.Document.Commands ?? [], texts.Get("distribution.command.list." + note, RequestLanguage.Of(context)));
    }

    /// <summary>The command, when it belongs to the field; one of another field does not exist here.</summary>
    private static async Task<Command?> OwnAsync(string fieldId, string commandId, CommandStore store, CancellationToken cancellation) =>
        await store.FindAsync(commandId, cancellation).ConfigureAwait(false) is { } command && command.FieldId == fieldId ? command : null;

    private static string? KeyOf(StringValues header, List<(string Place, string Key)> faults)
    {
        if (header.Count == 0)
        {
            return null;
        }

        if (header.Count == 1 && header[0] is { Length: > 0 and <= LongestKey } key && !key.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return key;
        }

        faults.Add(("Idempotency-Key", "command-key"));
        return null;
    }

    /// <summary>The shape of a command's body, for the document of the API.</summary>
    /// <param name="Name">What the device is to do.</param>
    /// <param name="Arguments">A JSON object.</param>
    /// <param name="ValidSeconds">How long the device may fetch it: 1 to 2592000, 3600 when absent.</param>
    internal sealed record CommandBodyShape(string Name, System.Text.Json.JsonElement? Arguments, int? ValidSeconds);
}
