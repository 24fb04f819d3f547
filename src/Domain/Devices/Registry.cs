namespace Sekisho.Domain.Devices;

/// <summary>What other stages may know of a device. Immutable; a change replaces it whole.</summary>
public sealed record DeviceProfile
{
    /// <summary>The device identifier: "d" and 15 characters of 0-9 and a-z.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Its field.</summary>
    public required string FieldId { get; init; }

    /// <summary>Name for people; may be empty.</summary>
    public required string Name { get; init; }

    /// <summary>Kind of device as the administrator named it ("drive-recorder", "door-sensor", …).</summary>
    public required string Kind { get; init; }

    /// <summary>Type of its unique ID, one of <see cref="UniqueIdTypes"/>.</summary>
    public required string UniqueIdType { get; init; }

    /// <summary>How it sends: one of <see cref="Cadences"/>.</summary>
    public required string Cadence { get; init; }

    /// <summary>Declared interval between messages for the cadence "interval"; else null.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Lifecycle state, one of <see cref="LifecycleStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>"device" for a secret of its own, "product-line" for a shared one (lower).</summary>
    public required string Assurance { get; init; }

    /// <summary>Device identifier of the gateway unit it sits behind; null when it connects itself.</summary>
    public string? ParentId { get; init; }

    /// <summary>Device identifier of the user it belongs to; for a user itself its own; else null.</summary>
    public string? UserId { get; init; }
}

/// <summary>What other stages may know of a field.</summary>
public sealed record FieldProfile
{
    /// <summary>Identifier: lower-case letters, digits and hyphens, 2 to 40 characters.</summary>
    public required string FieldId { get; init; }

    /// <summary>Name for people.</summary>
    public required string Name { get; init; }

    /// <summary>Kind of service ("car-mobility", "smart-home", "education", …).</summary>
    public required string Kind { get; init; }

    /// <summary>IANA time zone that people of the field live in.</summary>
    public required string TimeZone { get; init; }

    /// <summary>Whom to ask, shown in every notification; may be empty.</summary>
    public required string ContactPoint { get; init; }

    /// <summary>Language of its notifications, "ja" or "en".</summary>
    public required string Language { get; init; }
}

/// <summary>Stable names of the types of unique IDs.</summary>
public static class UniqueIdTypes
{
    /// <summary>15 digits with a Luhn check digit (3GPP TS 23.003).</summary>
    public const string Imei = "imei";

    /// <summary>48-bit MAC address.</summary>
    public const string Mac = "mac";

    /// <summary>MAC address and serial number, joined by "/".</summary>
    public const string MacSerial = "mac-serial";

    /// <summary>Vendor's identifier.</summary>
    public const string Vendor = "vendor";

    /// <summary>Serial number.</summary>
    public const string Serial = "serial";

    /// <summary>User identifier: the authenticated subject is a person.</summary>
    public const string User = "user";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Imei, Mac, MacSerial, Vendor, Serial, User];
}

/// <summary>Stable names of declared cadences.</summary>
public static class Cadences
{
    /// <summary>Sends at a fixed interval.</summary>
    public const string Interval = "interval";

    /// <summary>Sends when something happens.</summary>
    public const string Event = "event";

    /// <summary>Neither; no claim is made.</summary>
    public const string Irregular = "irregular";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Interval, Event, Irregular];
}

/// <summary>Stable names of lifecycle states.</summary>
public static class LifecycleStates
{
    /// <summary>Known, never authenticated.</summary>
    public const string Registered = "registered";

    /// <summary>A binding waits for a decision.</summary>
    public const string Pending = "pending";

    /// <summary>Bound and allowed.</summary>
    public const string Active = "active";

    /// <summary>Authentication suspended by a person or a response.</summary>
    public const string Suspended = "suspended";

    /// <summary>Found abnormal and locked out until a person releases it.</summary>
    public const string Abnormal = "abnormal";

    /// <summary>Lost or outside its owner's control (野良デバイス); locked out.</summary>
    public const string Stray = "stray";

    /// <summary>Out of service for good; its identity is never adopted.</summary>
    public const string Retired = "retired";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Registered, Pending, Active, Suspended, Abnormal, Stray, Retired];

    /// <summary>The device may not authenticate until somebody lets it in again.</summary>
    public static bool IsLockedOut(string state) => state is Suspended or Abnormal or Stray;
}

/// <summary>Who is who, from memory. Implemented by Devices. Any thread; never blocks.</summary>
public interface IDeviceDirectory
{
    /// <summary>The device, or null when there is none.</summary>
    DeviceProfile? Device(string deviceId);

    /// <summary>The field, or null when there is none.</summary>
    FieldProfile? Field(string fieldId);

    /// <summary>All fields.</summary>
    IReadOnlyCollection<FieldProfile> Fields { get; }

    /// <summary>The devices of one field.</summary>
    IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId);
}

/// <summary>Finds a device by what is printed on it. Implemented by Devices, called by Distribution for facts of carriers. Any thread; memory only.</summary>
public interface IUniqueIdLookup
{
    /// <summary>Identifier of the field's device with this unique ID in any way of writing it; null when there is none.</summary>
    string? Find(string fieldId, string uniqueId);
}
