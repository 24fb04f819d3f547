namespace Sekisho.Devices.Credentials;

/// <summary>A credential that the devices of one product share: lower assurance, because whoever opens one device can speak for all.</summary>
internal sealed record ProductLine(string LineId, string FieldId, string Name, string CommonAuthId, HashKey SecretHash, DateTimeOffset CreatedAt);
