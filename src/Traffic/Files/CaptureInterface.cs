using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Files;

/// <summary>An interface that a capture was made on; pcap has one, pcapng any number.</summary>
/// <param name="Link">Its link layer; a number that <see cref="LinkType"/> does not name is one that is not read.</param>
/// <param name="SnapLength">The most bytes that were captured of a frame; 0 without limit.</param>
public sealed record CaptureInterface(LinkType Link, long SnapLength);
