using Microsoft.Extensions.Logging;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;

namespace Sekisho.Behaviour.Sensors;

/// <summary>A certificate that was issued, or why not.</summary>
internal readonly record struct EnrolmentResult(SensorEntry? Entry, SensorCertificate? Certificate, ProblemType? Refused);

/// <summary>Turns a one-time code into a certificate, and a certificate into its successor. Any thread.</summary>
internal sealed partial class Enrolment(SensorStore store, SensorBook book, Sealed secrets, ISensorAuthority authority, IHistory history, SensorSettings settings, TimeProvider clock, ILogger<Enrolment> log)
{
    /// <summary>Enrols the sensor that the code was made for. The code is used up only when a certificate was issued.</summary>
    public async Task<EnrolmentResult> EnrolAsync(string code, byte[] request, string correlationId, CancellationToken cancellation)
    {
        var hash = secrets.Code(SensorDesk.Plain(code));
        if (book.ByCode(hash) is not { } entry)
        {
            LogRefused("unknown code", correlationId);
            return new(null, null, SensorProblems.CodeInvalid);
        }

        await entry.Turn.WaitAsync(cancellation);
        try
        {
            // Another enrolment may have used it, or a person may have made another one, while this one waited.
            var now = clock.GetUtcNow();
            if (entry.Gone || entry.Sensor.CodeHash is not { } own || !own.AsSpan().SequenceEqual(hash) || entry.Sensor.CodeExpiresAt <= now)
            {
                LogRefused("used or expired code", correlationId);
                return new(null, null, SensorProblems.CodeInvalid);
            }

            if (authority.Issue(request, entry.Sensor.Id, TimeSpan.FromDays(settings.CertificateDays)) is not { } certificate)
            {
                LogRefused("not a request for a P-256 key", correlationId);
                return new(null, null, SensorProblems.RequestInvalid);
            }

            var enrolled = entry.Sensor with { State = SensorStates.Active, CodeHash = null, CodeExpiresAt = null };
            await store.WriteAsync(
                async t =>
                {
                    await SensorStore.DropCertificatesAsync(enrolled.Id, [], t);
                    await SensorStore.AddCertificateAsync(enrolled.Id, certificate.Hash, now, certificate.NotAfter, t);
                    await store.PutAsync(enrolled, t);
                    history.Append(Record(enrolled, "sensor-enrolled", now, correlationId), t);
                },
                cancellation);
            entry.Sensor = enrolled;
            book.DropCertificates(entry, []);
            book.Put(certificate.Hash, new KnownCertificate(entry, now, certificate.NotAfter));
            return new(entry, certificate, null);
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    /// <summary>Gives a sensor its next certificate. The present one stays good until the next is used, so that a lost answer locks nobody out.</summary>
    public async Task<EnrolmentResult> RenewAsync(SensorEntry entry, byte[] presentHash, byte[] request, string correlationId, CancellationToken cancellation)
    {
        await entry.Turn.WaitAsync(cancellation);
        try
        {
            if (entry.Gone || entry.Sensor.State != SensorStates.Active || book.Certificate(presentHash) is null)
            {
                return new(null, null, SensorProblems.Unknown);
            }

            if (authority.Issue(request, entry.Sensor.Id, TimeSpan.FromDays(settings.CertificateDays)) is not { } certificate)
            {
                return new(null, null, SensorProblems.RequestInvalid);
            }

            var now = clock.GetUtcNow();
            await store.WriteAsync(
                async t =>
                {
                    await SensorStore.DropCertificatesAsync(entry.Sensor.Id, presentHash, t);
                    await SensorStore.AddCertificateAsync(entry.Sensor.Id, certificate.Hash, now, certificate.NotAfter, t);
                    history.Append(Record(entry.Sensor, "sensor-certificate-renewed", now, correlationId), t);
                },
                cancellation);
            book.DropCertificates(entry, presentHash);
            book.Put(certificate.Hash, new KnownCertificate(entry, now, certificate.NotAfter));
            return new(entry, certificate, null);
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    private static HistoryRecord Record(Sensor sensor, string what, DateTimeOffset at, string correlationId) => new()
    {
        At = at,
        Kind = HistoryKinds.Authentication,
        What = what,
        FieldId = sensor.FieldId,
        Actor = "sensor:" + sensor.Id,
        CorrelationId = correlationId,
        Subject = sensor.Id,
    };

    [LoggerMessage(7001, LogLevel.Warning, "Enrolment of a sensor refused: {Why}; correlation id {CorrelationId}")]
    private partial void LogRefused(string why, string correlationId);
}
