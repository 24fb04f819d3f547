namespace Sekisho.Behaviour.Sensors;

/// <summary>A sensor in memory. Reading: any thread; whoever changes it holds its turn.</summary>
internal sealed class SensorEntry(Sensor sensor)
{
    private volatile Sensor _sensor = sensor;
    private long _uploads;
    private long _questions;

    public Sensor Sensor
    {
        get => _sensor;
        set => _sensor = value;
    }

    /// <summary>One change, one upload at a time.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    /// <summary>True once it is deleted; changes that waited for the turn find this.</summary>
    public bool Gone { get; set; }

    /// <summary>Charges an upload; zero when within the limit, else how long to wait.</summary>
    public TimeSpan Upload(DateTimeOffset now, int perMinute) => Bucket.Take(ref _uploads, now, perMinute);

    /// <summary>Charges a question for orders, apart from the uploads: neither may keep the other back.</summary>
    public TimeSpan Question(DateTimeOffset now, int perMinute) => Bucket.Take(ref _questions, now, perMinute);
}

/// <summary>A certificate that a sensor may show.</summary>
internal sealed record KnownCertificate(SensorEntry Entry, DateTimeOffset IssuedAt, DateTimeOffset NotAfter);
