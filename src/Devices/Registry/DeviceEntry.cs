using System.Text;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Registry;

/// <summary>A device as the gateway keeps it. Immutable; a change replaces it whole, only <see cref="Holder"/> stays the same object.</summary>
internal sealed record DeviceEntry
{
    public required DeviceProfile Profile { get; init; }

    /// <summary>The unique ID, encrypted.</summary>
    public required byte[] UniqueId { get; init; }

    public required HashKey UniqueIdHash { get; init; }

    /// <summary>Common authentication ID of its own; null under a product line.</summary>
    public required string? CommonAuthId { get; init; }

    /// <summary>Keyed hash of its own secret; null under a product line.</summary>
    public required HashKey? SecretHash { get; init; }

    /// <summary>Keyed hash of a secret that was handed out and not used yet; null when there is none.</summary>
    public HashKey? NewSecretHash { get; init; }

    /// <summary>By when it is to renew its secret; null when nobody wants it.</summary>
    public DateTimeOffset? RenewBefore { get; init; }

    public required string? LineId { get; init; }

    public required int Epoch { get; init; }

    /// <summary>It authenticated at least once.</summary>
    public required bool Bound { get; init; }

    /// <summary>Why it is in its state, encrypted.</summary>
    public required byte[] StateReason { get; init; }

    public required string StateActor { get; init; }

    public required DateTimeOffset StateAt { get; init; }

    /// <summary>The retired device whose identity it took over; null when none.</summary>
    public required string? Supersedes { get; init; }

    /// <summary>The device that took over its identity; null when none.</summary>
    public required string? SupersededBy { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Name and kind in the form in which they are searched.</summary>
    public required string SearchText { get; init; }

    public required TokenHolder Holder { get; init; }

    /// <summary>Identifier of the device.</summary>
    public string Id => Profile.DeviceId;

    /// <summary>Lifecycle state.</summary>
    public string State => Profile.State;

    /// <summary>The form in which text is searched: NFKC, so that half and full width are one, and without case.</summary>
    public static string Fold(string text) => text.Normalize(NormalizationForm.FormKC).ToLowerInvariant();

    public static string FoldedText(DeviceProfile profile) => Fold(profile.Name + "\n" + profile.Kind);
}
