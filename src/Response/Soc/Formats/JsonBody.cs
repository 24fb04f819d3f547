using System.Buffers;
using System.Text.Json;
using Sekisho.Response.Soc.Events;

namespace Sekisho.Response.Soc.Formats;

/// <summary>Writes bodies in JSON without what is null or empty.</summary>
internal static class JsonBody
{
    public static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Product.Json))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static void Text(this Utf8JsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            json.WriteString(name, value);
        }
    }

    public static void Object(this Utf8JsonWriter json, string name, Action members)
    {
        json.WriteStartObject(name);
        members();
        json.WriteEndObject();
    }

    public static void List(this Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    /// <summary>What no schema has a place for, by the same names in every format.</summary>
    public static void Own(this Utf8JsonWriter json, SocEvent e)
    {
        json.Text("level", e.Level);
        json.Text("risk", e.Risk);
        json.Text("threat", e.Threat);
        json.Text("effect", e.Effect);
        json.Text("state", e.State);
        json.Text("field", e.FieldId);
        json.Text("field_name", e.FieldName);
        json.Text("sector", e.Sector);
        json.Text("device_kind", e.DeviceKind);
        json.Text("finding", e.FindingId);
        json.Text("lease", e.LeaseId);
        json.Object("details", () =>
        {
            foreach (var (name, value) in e.Details)
            {
                json.WriteString(name, value);
            }
        });
        json.List("left_out", e.LeftOut);
    }
}
