using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sekisho.Api;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Distribution.Connectors.Https;
using Sekisho.Distribution.Limits;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Commands;

/// <summary>Where devices fetch what they are to do, and say what became of it.</summary>
internal static class DeviceCommandRoutes
{
    private const int MostSeconds = 30;
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(MostSeconds);

    public static void Map(RouteGroups routes)
    {
        routes.Device.MapGet("/commands", FetchAsync)
            .WithName("FetchCommands").WithTags("Distribution")
            .WithSummary("Gives the device what it is to do, in order, again and again until it has answered. With wait (seconds, 30 at most) it waits until there is something new.")
            .Produces<CommandsForDevice>().ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status429TooManyRequests);
        routes.Device.MapPost("/commands/{commandId}", AnswerAsync)
            .WithName("AnswerCommand").WithTags("Distribution").WithSummary("Takes what became of a command: done, failed or refused. The same answer again is the same.")
            .Accepts<AnswerBodyShape>("application/json").Produces<AnswerTaken>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status429TooManyRequests);
    }

    private static async Task<IResult> FetchAsync(
        HttpContext context, string? wait, CommandDesk desk, CommandPolls polls, IngestPorts ports, TrafficCounters traffic, IDeviceDirectory devices, Texts texts, CancellationToken cancellation)
    {
        var (device, ordersOnly, refused) = Enter(context, polls, ports, devices);
        if (refused is not null)
        {
            return refused;
        }

        try
        {
            var seconds = 0;
            if (wait is not null && (!int.TryParse(wait, NumberStyles.None, CultureInfo.InvariantCulture, out seconds) || seconds > MostSeconds))
            {
                return Problem.Of(CommonProblems.Invalid, [new Fault("wait", texts.Get("distribution.fault.command-wait", RequestLanguage.Of(context)))]);
            }

            return await desk.FetchAsync(device, ordersOnly, TimeSpan.FromSeconds(seconds), cancellation).ConfigureAwait(false) is { } commands
                ? TypedResults.Ok(new CommandsForDevice([.. commands.Select(CommandForDevice.Of)]))
                : Problem.Of(CommonProblems.TooMany).After(Later);
        }
        finally
        {
            Charge(context, device, traffic);
        }
    }

    private static async Task<IResult> AnswerAsync(
        HttpContext context, string commandId, CommandDesk desk, CommandPolls polls, IngestPorts ports, TrafficCounters traffic, IDeviceDirectory devices, Texts texts, CancellationToken cancellation)
    {
        var (device, ordersOnly, refused) = Enter(context, polls, ports, devices);
        if (refused is not null)
        {
            return refused;
        }

        try
        {
            if (await CommandBody.ReadAsync(context, CommandBody.MostOfAnswer, cancellation).ConfigureAwait(false) is not { } body)
            {
                return Problem.Of(CommandProblems.TooLarge, ("bytes", $"{CommandBody.MostOfAnswer}"));
            }

            if (CommandBody.Parse(body) is not { } json)
            {
                return Problem.Of(CommandProblems.Malformed);
            }

            var faults = new List<(string Place, string Key)>();
            if (CommandAnswer.Read(json, faults) is not { } answer)
            {
                return Problem.Of(CommonProblems.Invalid, [.. faults.Select(f => new Fault(f.Place, texts.Get("distribution.fault." + f.Key, RequestLanguage.Of(context))))]);
            }

            var (command, taken) = await desk.AnswerAsync(device, ordersOnly, commandId, answer, cancellation).ConfigureAwait(false);
            return command is null ? Problem.Of(CommonProblems.NotFound)
                : taken ? TypedResults.Ok(new AnswerTaken(command.State))
                : Problem.Of(CommandProblems.WrongState, ("state", command.Shown));
        }
        finally
        {
            Charge(context, device, traffic);
        }
    }

    /// <summary>
    /// Who asks, and what they may have. A device that is locked out keeps its token until that runs out, and may fetch the gateway's own orders with it (a reset, a wipe, an
    /// update), because these are what it needs to come back, or what keeps a thief from the data. One that is out of service gets nothing.
    /// </summary>
    private static (string DeviceId, bool OrdersOnly, Problem? Refused) Enter(HttpContext context, CommandPolls polls, IngestPorts ports, IDeviceDirectory devices)
    {
        var source = MessagesEndpoint.SourceOf(context);
        var correlation = Correlation.Of(context);
        context.Response.Headers["Sekisho-Correlation-Id"] = correlation;
        var verdict = MessagesEndpoint.Check(context, ports.Tokens, source);
        WireCharge.Charge(context, verdict.DeviceId);
        var lockedOut = verdict is { Refusal: RefusalReasons.Suspended, HasRunOut: false, DeviceId: { } id }
            && devices.Device(id) is { } locked && LifecycleStates.IsLockedOut(locked.State);
        if (verdict.Refusal is { } reason && !lockedOut)
        {
            ports.Refusals.Count(new Refusal(reason, source, verdict.DeviceId, verdict.FieldId, 0, correlation));
            return ("", false, Problem.Of(DeviceProblems.For(reason)));
        }

        if (polls.Enter(verdict.DeviceId!) is { Ticks: > 0 } wait)
        {
            ports.Refusals.Count(new Refusal(RefusalReasons.RateLimited, source, verdict.DeviceId, verdict.FieldId, 0, correlation));
            return ("", false, Problem.Of(CommonProblems.TooMany).After(wait));
        }

        return (verdict.DeviceId!, lockedOut, null);
    }

    private static void Charge(HttpContext context, string deviceId, TrafficCounters traffic)
    {
        // The request and its answer are on the wire like any other, but are no message.
        traffic.Asked(deviceId);
        WireCharge.Charge(context, deviceId);
    }

    /// <summary>The shape of an answer's body, for the document of the API.</summary>
    /// <param name="Outcome">"done", "failed" or "refused".</param>
    /// <param name="Detail">What there is to say: any JSON, 2,048 characters at most.</param>
    internal sealed record AnswerBodyShape(string Outcome, System.Text.Json.JsonElement? Detail);
}
