using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Api.Problems;
using Sekisho.Distribution.Journal;
using Sekisho.Distribution.Limits;
using Sekisho.Distribution.Mapping;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;

namespace Sekisho.Distribution.Connectors.Https;

/// <summary>
/// POST /device/v1/messages, the hot path of the gateway: who sends is settled before the body is read, the body is read once, all of its messages
/// are durable together, and only then the answer is 202. Any thread.
/// </summary>
internal sealed partial class MessagesEndpoint(
    IngestPorts ports, Admission admission, MappingCatalog mappings, TrafficCounters traffic, LimitSettings limits, HttpsSettings settings, TimeProvider clock, ILogger<MessagesEndpoint> log)
    : IDisposable
{
    private const string SourceKey = "sekisho.source";
    private static readonly byte[] AcceptedOne = "{\"accepted\":1}"u8.ToArray();
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);
    private readonly int _maxBody = settings.RequestKiB * 1024;
    private readonly ThreadLocal<MessageParser> _parser = new(() => new MessageParser(settings));

    /// <summary>Answers one request.</summary>
    public Task HandleAsync(HttpContext context)
    {
        var source = SourceOf(context);
        var correlation = Correlation.Of(context);
        context.Response.Headers["Sekisho-Correlation-Id"] = correlation;
        if (ports.Journal.Congested || !admission.TryEnter())
        {
            return RefuseAsync(context, new Refusal(RefusalReasons.RateLimited, source, null, null, 0, correlation), Problem.Of(CommonProblems.TooMany), Soon);
        }

        var verdict = Check(context, ports.Tokens, source);
        WireCharge.Charge(context, verdict.DeviceId);
        if (verdict.Refusal is { } reason)
        {
            return AndLeaveAsync(RefuseAsync(context, new Refusal(reason, source, verdict.DeviceId, verdict.FieldId, 0, correlation), Problem.Of(DeviceProblems.For(reason)), null));
        }

        var sender = new Sender(verdict.FieldId!, verdict.DeviceId!, verdict.Epoch, source, clock.GetUtcNow(), correlation);
        return admission.Enter(sender.DeviceId, sender.FieldId) is var wait && wait > TimeSpan.Zero
            ? AndLeaveAsync(RefuseAsync(context, Refused(sender, RefusalReasons.RateLimited, 0, null), Problem.Of(CommonProblems.TooMany), wait))
            : ReceiveAsync(context, sender);
    }

    public void Dispose() => _parser.Dispose();

    private async Task AndLeaveAsync(Task answer)
    {
        try
        {
            await answer.ConfigureAwait(false);
        }
        finally
        {
            admission.Leave();
        }
    }

    // One state machine for the whole way of an accepted message: each further one would be another allocation and another resumption.
    private async Task ReceiveAsync(HttpContext context, Sender sender)
    {
        try
        {
            if (!IsJson(context.Request.ContentType))
            {
                await RefuseAsync(context, Refused(sender, RefusalReasons.Malformed, 0, "media-type"), Problem.Of(MessageFault.MediaType), null).ConfigureAwait(false);
                return;
            }

            if (context.Request.ContentLength > _maxBody)
            {
                await RefuseAsync(context, Refused(sender, RefusalReasons.TooLarge, 0, "body-size"), BodyTooLarge(context), null).ConfigureAwait(false);
                return;
            }

            if (await ReadAsync(context, sender).ConfigureAwait(false) is not { } result)
            {
                return;
            }

            var length = result.Buffer.Length;
            var events = Parse(result.Buffer, sender, out var fault);
            context.Request.BodyReader.AdvanceTo(result.Buffer.End);
            if (events is null)
            {
                await RefuseFaultAsync(context, sender, fault!, length).ConfigureAwait(false);
                return;
            }

            var late = Late(events, sender.ArrivedAt);
            if (admission.Take(sender.DeviceId, sender.FieldId, events.Length - late, late) is var wait && wait > TimeSpan.Zero)
            {
                await RefuseAsync(context, Refused(sender, RefusalReasons.RateLimited, length, null), Problem.Of(CommonProblems.TooMany), wait).ConfigureAwait(false);
                return;
            }

            try
            {
                await ports.Journal.AppendAsync(events, CancellationToken.None).ConfigureAwait(false);
            }
            catch (JournalUnavailableException e)
            {
                await RefuseAsync(context, Refused(sender, RefusalReasons.RateLimited, length, "journal"), Problem.Of(CommonProblems.Unavailable), e.RetryAfter).ConfigureAwait(false);
                return;
            }

            traffic.Accepted(sender.DeviceId, events.Length, length);
            DistributionMetrics.AcceptedMessages.Add(events.Length);
            DistributionMetrics.AcceptedBytes.Add(length);
            await AcceptAsync(context.Response, events.Length).ConfigureAwait(false);
        }
        finally
        {
            // The body and the answer have gone over the line since.
            WireCharge.Charge(context, sender.DeviceId);
            admission.Leave(sender.DeviceId);
            admission.Leave();
        }
    }

    // Null when the request was refused; else the whole body, which must be advanced past.
    private async ValueTask<ReadResult?> ReadAsync(HttpContext context, Sender sender)
    {
        var reader = context.Request.BodyReader;
        ReadResult result;
        try
        {
            result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            while (!result.IsCompleted && result.Buffer.Length <= _maxBody)
            {
                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            }
        }
        catch (BadHttpRequestException e)
        {
            var (reason, detail, problem) = e.StatusCode switch
            {
                StatusCodes.Status408RequestTimeout => (RefusalReasons.Interrupted, "slow", Problem.Of(MessageFault.TooSlow)),
                StatusCodes.Status413PayloadTooLarge => (RefusalReasons.TooLarge, "http", Problem.Of(MessageFault.TooLarge)),

                // A body of a stated length can only end too early: a link that broke, not a sender that writes nonsense.
                _ when context.Request.ContentLength is not null => (RefusalReasons.Interrupted, "cut", Problem.Of(CommonProblems.BadRequest)),
                _ => (RefusalReasons.Malformed, "http", Problem.Of(CommonProblems.BadRequest)),
            };
            await RefuseAsync(context, Refused(sender, reason, 0, detail), problem, null).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The sender hung up: nobody is there to answer.
            ports.Refusals.Count(Refused(sender, RefusalReasons.Interrupted, 0, "aborted"));
            return null;
        }

        var length = result.Buffer.Length;
        if (length > _maxBody)
        {
            reader.AdvanceTo(result.Buffer.Start);
            await RefuseAsync(context, Refused(sender, RefusalReasons.TooLarge, length, "body-size"), BodyTooLarge(context), null).ConfigureAwait(false);
            return null;
        }

        return result;
    }

    private static ValueTask<FlushResult> AcceptAsync(HttpResponse response, int messages)
    {
        response.StatusCode = StatusCodes.Status202Accepted;
        response.ContentType = "application/json";
        var body = messages == 1 ? AcceptedOne : System.Text.Encoding.ASCII.GetBytes($"{{\"accepted\":{messages}}}");
        response.ContentLength = body.Length;
        return response.BodyWriter.WriteAsync(body, CancellationToken.None);
    }

    private int Late(GatewayEvent[] events, DateTimeOffset arrivedAt)
    {
        var late = 0;
        foreach (var item in events)
        {
            late += ((MessageEvent)item).DeviceTime is { } time && arrivedAt - time > limits.BacklogAge ? 1 : 0;
        }

        return late;
    }

    private GatewayEvent[]? Parse(in ReadOnlySequence<byte> body, in Sender sender, out MessageFault? fault)
    {
        var mapping = mappings.Of(sender.FieldId);
        if (body.IsSingleSegment)
        {
            return _parser.Value!.Parse(body.FirstSpan, sender, mapping, out fault);
        }

        var rented = ArrayPool<byte>.Shared.Rent((int)body.Length);
        try
        {
            body.CopyTo(rented);
            return _parser.Value!.Parse(rented.AsSpan(0, (int)body.Length), sender, mapping, out fault);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Who sends: the token and the device of a request's headers.</summary>
    internal static TokenVerdict Check(HttpContext context, ITokenCheck tokens, string source)
    {
        var headers = context.Request.Headers;
        var authorization = headers.Authorization;
        var device = headers["Sekisho-Device"];
        var bearer = authorization.Count == 1 ? authorization[0].AsSpan() : [];
        return bearer.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && device.Count == 1
            ? tokens.Check(bearer[7..].Trim(), device[0], source)
            : new TokenVerdict(RefusalReasons.BadToken, null, null, 0);
    }

    private Task RefuseFaultAsync(HttpContext context, Sender sender, MessageFault fault, long length)
    {
        var reason = fault.Type == MessageFault.TooLarge ? RefusalReasons.TooLarge : RefusalReasons.Malformed;
        var detail = string.Create(CultureInfo.InvariantCulture, $"{fault.Code} in message {fault.Message} at byte {fault.Offset}");
        return RefuseAsync(context, Refused(sender, reason, length, detail), Explained(context, fault), null);
    }

    private Problem Explained(HttpContext context, MessageFault fault)
    {
        var texts = context.RequestServices.GetRequiredService<Texts>();
        var text = texts.Get(
            "distribution.fault." + fault.Code,
            RequestLanguage.Of(context),
            ("message", fault.Message.ToString(CultureInfo.InvariantCulture)),
            ("offset", fault.Offset.ToString(CultureInfo.InvariantCulture)),
            ("depth", settings.Depth.ToString(CultureInfo.InvariantCulture)),
            ("batch", settings.Batch.ToString(CultureInfo.InvariantCulture)),
            ("kib", settings.MessageKiB.ToString(CultureInfo.InvariantCulture)),
            ("bodyKib", settings.RequestKiB.ToString(CultureInfo.InvariantCulture)));
        return Problem.Of(fault.Type, [new Fault(fault.Pointer ?? string.Create(CultureInfo.InvariantCulture, $"message {fault.Message}, byte {fault.Offset}"), text)]);
    }

    private Problem BodyTooLarge(HttpContext context) => Explained(context, new MessageFault(MessageFault.TooLarge, "body-size", 0, 0, "body"));

    private async Task RefuseAsync(HttpContext context, Refusal refusal, Problem problem, TimeSpan? retryAfter)
    {
        ports.Refusals.Count(refusal);
        Refused(log, refusal.Reason, refusal.Source, refusal.DeviceId, refusal.Detail, refusal.CorrelationId);
        if (retryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        await problem.ExecuteAsync(context).ConfigureAwait(false);
    }

    private static Refusal Refused(in Sender sender, string reason, long bytes, string? detail) =>
        new(reason, sender.Source, sender.DeviceId, sender.FieldId, bytes, sender.CorrelationId, detail);

    private static bool IsJson(string? contentType)
    {
        if (contentType is "application/json" or "application/json; charset=utf-8")
        {
            return true;
        }

        return MediaTypeHeaderValue.TryParse(contentType, out var type)
            && "application/json".Equals(type.MediaType, StringComparison.OrdinalIgnoreCase)
            && (type.CharSet is null || type.CharSet.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Address of the sender, the same for all requests of a connection.</summary>
    internal static string SourceOf(HttpContext context)
    {
        var items = context.Features.Get<IConnectionItemsFeature>()?.Items;
        if (items is not null && items.TryGetValue(SourceKey, out var known))
        {
            return (string)known!;
        }

        var address = context.Connection.RemoteIpAddress;
        var source = address is null ? "unknown" : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
        if (items is not null)
        {
            items[SourceKey] = source;
        }

        return source;
    }

    [LoggerMessage(2010, LogLevel.Debug, "Refused: {Reason} from {Source}, device {Device}, {Detail}, correlation {CorrelationId}")]
    private static partial void Refused(ILogger logger, string reason, string source, string? device, string? detail, string correlationId);
}

/// <summary>What the connector needs of others: tokens to check, refusals to count, and the journal.</summary>
internal sealed record IngestPorts(ITokenCheck Tokens, IRefusals Refusals, EventJournal Journal);
