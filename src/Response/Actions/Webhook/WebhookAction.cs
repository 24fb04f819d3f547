using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Actions.Webhook;

/// <summary>
/// Posts the finding as JSON to the field's webhook, signed. Any 2xx is success. Redirects are not followed and the answer's body is not
/// read: the receiver has nothing to say that would matter. Deliveries are at least once; Sekisho-Delivery stays the same. Any thread.
/// </summary>
internal sealed class WebhookAction(NotificationStore notifications, IDeviceDirectory directory, Texts texts, WebhookSettings settings, TimeProvider clock)
    : IResponseAction, IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.Default,
    };

    // No proxy: it would be asked for addresses that are not checked here.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = settings.Timeout,
        ConnectCallback = new Dialler(new ReceiverAddresses([.. settings.InternalNetworks.Select(n => IPNetwork.Parse(n))])).ConnectAsync,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxResponseHeadersLength = 16,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public string Name => "webhook";

    public bool CanUndo => false;

    public bool LocksOut => false;

    public bool Disturbs => false;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => ("webhook", null);

    public string? Before(Lease lease) => null;

    public Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<PreviewLine>>([]);

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if ((await notifications.FindAsync(lease.FieldId, cancellation))?.Webhook is not { } webhook)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoWebhook);
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(Body(order), Json);
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        request.Headers.UserAgent.ParseAdd("Sekisho");
        request.Headers.Add("Sekisho-Signature", WebhookSignature.Of(webhook.Secret, clock.GetUtcNow(), body));
        request.Headers.Add("Sekisho-Delivery", lease.Id);
        using var limit = new CancellationTokenSource(settings.Timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            return response.IsSuccessStatusCode
                ? new ActionOutcome.Done()
                : new ActionOutcome.Retry($"The receiver answered {(int)response.StatusCode}.");
        }
        catch (HttpRequestException e) when (e.InnerException is AddressNotAllowedException)
        {
            return new ActionOutcome.Refused(LeaseCauses.AddressNotAllowed);
        }
        catch (HttpRequestException e)
        {
            return new ActionOutcome.Retry($"The receiver could not be reached ({e.HttpRequestError}).");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new ActionOutcome.Retry($"The receiver did not answer within {settings.Timeout}.");
        }
    }

    public Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) => throw new NotSupportedException("A delivery cannot be undone.");

    public void Dispose() => _http.Dispose();

    private object Body(ActionOrder order)
    {
        var lease = order.Lease;
        var field = lease.FieldId is { } fieldId ? directory.Field(fieldId) : null;
        var device = lease.DeviceId is { } deviceId ? directory.Device(deviceId) : null;
        var finding = order.Finding;
        return new
        {
            Delivery = lease.Id,
            Type = lease.Details.Notice is not null ? "notice" : finding is null ? "test" : lease.Details.TellsRetraction ? "retraction" : "finding",
            Retracted = lease.Details is not { TellsRetraction: true, Retracted: { } reason } ? null : new
            {
                Reason = reason,
                At = lease.CreatedAt,
                Text = Texts.Languages.ToDictionary(language => language, language => texts.Get("finding.retracted." + reason, language)),
            },
            lease.CorrelationId,
            Field = lease.FieldId is null ? null : new { Id = lease.FieldId, field?.Name, field?.ContactPoint },
            Device = lease.DeviceId is null ? null : new { Id = lease.DeviceId, device?.Name, device?.Kind },
            Notice = lease.Details.Notice is { } told ? new { told.Name, told.Values } : null,
            Finding = finding is null ? null : new
            {
                finding.Id,
                finding.Condition,
                finding.ConditionKey,
                finding.TemplateId,
                finding.TemplateVersion,
                finding.Scope,
                finding.Risk,
                finding.Threat,
                finding.Level,
                finding.Stage,
                finding.RaisedAt,
                finding.DeviceTime,
                finding.Evidence.Metric,
                finding.Evidence.Unit,
                finding.Evidence.Measured,
                finding.Evidence.ExpectedLow,
                finding.Evidence.ExpectedHigh,
                finding.Evidence.Origin,
                finding.Evidence.Counterfactual,
                finding.Evidence.ExceptionsTried,
                finding.Evidence.Facts,
            },
            Text = Texts.Languages.ToDictionary(
                language => language,
                language => lease.Details.Notice is { } notice
                    ? texts.Get($"response.notice.{notice.Name}.text", language, [.. notice.Values.Select(v => (v.Key, v.Value))])
                    : finding is null
                    ? texts.Get("response.test.sentence", language)
                    : FindingSentence.Of(finding, field, device, texts, language)),
        };
    }

    // The address that is checked is the one that is connected to, so that a name that resolves to another one a moment later gains nothing.
    private sealed class Dialler(ReceiverAddresses addresses)
    {
        public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
        {
            var allowed = (await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellation)).Where(addresses.Allows).ToArray();
            if (allowed.Length == 0)
            {
                throw new AddressNotAllowedException();
            }

            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
