using System.Security.Cryptography;
using System.Text.Json;
using Sekisho.Sensor.Uplink;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Enforcement;

/// <summary>What became of an order, for the gateway.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="Outcome">"applied", "lifted", "refused" or "failed".</param>
/// <param name="Cause">Why not; empty otherwise.</param>
internal sealed record OrderAnswer(long Sequence, string Outcome, string Cause = "");

/// <summary>
/// The signed orders that are in force, the highest number seen, and the answers that the gateway does not have yet, in one file (orders.json, for its
/// owner only). The file is written before anything is done, so that a crash neither forgets an order nor lets an old one come again. One thread at a time.
/// </summary>
internal sealed class OrderBook
{
    /// <summary>Measures in force at most.</summary>
    public const int MostOrders = 256;

    /// <summary>Cause of a refusal: the order would touch somebody whom none touches.</summary>
    public const string Protected = "protected";

    private const int MostAnswers = 512;
    private readonly string _file;
    private readonly Dictionary<string, (NetworkOrder Order, byte[] Bytes)> _orders = new(StringComparer.Ordinal);
    private List<OrderAnswer> _answers = [];

    private OrderBook(string file) => _file = file;

    /// <summary>Highest number seen.</summary>
    public long Last { get; private set; }

    /// <summary>What is in force is not known here, or not all of it: the gateway is to give it anew.</summary>
    public bool Anew { get; set; }

    /// <summary>Orders in force.</summary>
    public IReadOnlyCollection<NetworkOrder> InForce => [.. _orders.Values.Select(o => o.Order)];

    /// <summary>Answers that the gateway does not have yet, oldest first.</summary>
    public IReadOnlyList<OrderAnswer> Answers => _answers;

    /// <summary>Opens the file, or begins anew.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="key">The gateway's order key; null while it is not known, which no order in the file survives.</param>
    /// <param name="sensorId">This sensor.</param>
    /// <exception cref="EnforcementException">The file is damaged.</exception>
    public static OrderBook Open(string folder, ECDsa? key, string sensorId)
    {
        var book = new OrderBook(Path.Combine(folder, "orders.json"));
        if (!File.Exists(book._file))
        {
            book.Anew = true;
            return book;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(book._file));
            var root = document.RootElement;
            book.Last = root.GetProperty("last").GetInt64();
            book.Anew = root.TryGetProperty("anew", out var anew) && anew.ValueKind == JsonValueKind.True;
            foreach (var text in root.GetProperty("orders").EnumerateArray())
            {
                var bytes = text.GetBytesFromBase64();

                // Signed and for this sensor, as when it came: who can write the file cannot order anything with it. When it was issued was checked then; by
                // now the clock may be behind.
                if (key is not null && NetworkOrderCodec.TryDecode(bytes, key, out var order) == OrderFault.None && order!.SensorId == sensorId)
                {
                    book._orders[order.Measure] = (order, bytes);
                }
                else
                {
                    book.Anew = true;
                }
            }

            book._answers = [.. root.GetProperty("answers").EnumerateArray().Select(a => new OrderAnswer(a.GetProperty("sequence").GetInt64(), a.GetProperty("outcome").GetString()!, a.GetProperty("cause").GetString()!))];
            return book;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new EnforcementException(EnforcementFault.DamagedOrders, book._file, e);
        }
    }

    /// <summary>Takes an order that was checked; false when there is no more room.</summary>
    public bool Take(NetworkOrder order, byte[] bytes)
    {
        Last = Math.Max(Last, order.Sequence);
        if (order.Kind == NetworkOrderKind.Lift)
        {
            _orders.Remove(order.Measure);
        }
        else if (_orders.Count < MostOrders || _orders.ContainsKey(order.Measure))
        {
            _orders[order.Measure] = (order, bytes);
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>Passes over an order that this sensor does not follow, for good.</summary>
    public void Pass(NetworkOrder order) => Last = Math.Max(Last, order.Sequence);

    /// <summary>Ends an order in force that would by now touch somebody whom none touches.</summary>
    public void Spare(NetworkOrder order)
    {
        _orders.Remove(order.Measure);
        Answer(new OrderAnswer(order.Sequence, "refused", Protected));
    }

    public void Answer(OrderAnswer answer)
    {
        _answers.RemoveAll(a => a.Sequence == answer.Sequence);
        _answers.Add(answer);
        if (_answers.Count > MostAnswers)
        {
            _answers.RemoveAt(0);
        }
    }

    /// <summary>The gateway has these answers.</summary>
    public void Told(IReadOnlyCollection<OrderAnswer> answers) => _answers.RemoveAll(answers.Contains);

    /// <summary>Drops what has ended by itself; true when there was something.</summary>
    public bool DropEnded(DateTimeOffset now)
    {
        var ended = _orders.Where(o => o.Value.Order.HasEnded(now)).Select(o => o.Key).ToList();
        ended.ForEach(measure => _orders.Remove(measure));
        return ended.Count > 0;
    }

    /// <summary>Writes the file.</summary>
    public void Save()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("last", Last);
            json.WriteBoolean("anew", Anew);
            json.WriteStartArray("orders");
            foreach (var (_, bytes) in _orders.Values)
            {
                json.WriteBase64StringValue(bytes);
            }

            json.WriteEndArray();
            json.WriteStartArray("answers");
            foreach (var answer in _answers)
            {
                answer.Write(json);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        PrivateFile.Replace(_file, stream.ToArray());
    }
}

/// <summary>Answers as JSON.</summary>
internal static class OrderAnswerJson
{
    public static void Write(this OrderAnswer answer, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("sequence", answer.Sequence);
        json.WriteString("outcome", answer.Outcome);
        json.WriteString("cause", answer.Cause);
        json.WriteEndObject();
    }
}
