using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// Groups the messages of one stretch by field and backlog. A device's messages never overtake each other: a chunk that is older than the
/// one that took the device's last message takes no more of that device. One lane at a time.
/// </summary>
internal sealed class ChunkBuilder
{
    public const int MostMessages = 1000;
    public const int MostBytes = 1 << 20;

    private readonly Dictionary<(string FieldId, bool Backlog), Open> _open = [];
    private readonly List<Open> _all = [];
    private Open? _last;

    public void Add(MessageEvent message, bool backlog, Subject device)
    {
        var bytes = message.Payload.Length;

        // Most messages go where the one before them went.
        var open = _last is { } last && last.Backlog == backlog && last.FieldId == message.FieldId ? last : _open.GetValueOrDefault((message.FieldId, backlog));
        if (open is null || open.Messages.Count >= MostMessages || open.Bytes + bytes > MostBytes || open.Id < device.LastChunk)
        {
            open = new Open(message.FieldId, backlog, message.Position);
            _open[(message.FieldId, backlog)] = open;
            _all.Add(open);
        }

        _last = open;

        open.Messages.Add(message);
        open.Bytes += bytes;
        device.LastChunk = open.Id;
    }

    public IReadOnlyList<MessageChunk> Done() => _all.ConvertAll(o => new MessageChunk(o.FieldId, o.Backlog, o.Messages));

    private sealed class Open(string fieldId, bool backlog, long id)
    {
        public long Bytes;

        public string FieldId { get; } = fieldId;

        public bool Backlog { get; } = backlog;

        public long Id { get; } = id;

        public List<MessageEvent> Messages { get; } = [];
    }
}
