using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Distribution.Tests.Gateway;

namespace Sekisho.Distribution.Tests.Commands;

/// <summary>What senders, people and devices ask of a gateway.</summary>
internal static class CommandCalls
{
    public static Task<(int Status, JsonNode? Body, HttpResponseHeaders Headers)> PostAsync(
        this TestGateway gateway, string device, string body, string name = "cloud", bool key = true, string? repeat = null, string field = StandInDevices.Cars)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/fields/{field}/devices/{device}/commands") { Content = Json(body) };
        if (repeat is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", repeat);
        }

        return AskAsync(gateway, request, name, key);
    }

    public static async Task<string> SentAsync(this TestGateway gateway, string device, string body, string expected, string name = "cloud", bool key = true)
    {
        var (status, answer, _) = await gateway.PostAsync(device, body, name, key);
        Assert.True(status == 202, $"{status} {answer}");
        Assert.Equal(expected, (string?)answer!["state"]);
        return (string)answer["id"]!;
    }

    public static Task<(int Status, JsonNode? Body, HttpResponseHeaders Headers)> DecideAsync(
        this TestGateway gateway, string id, string verb, string name = "hanako", string field = StandInDevices.Cars, string reason = "it is right") =>
        AskAsync(gateway, new HttpRequestMessage(HttpMethod.Post, $"/api/v1/fields/{field}/commands/{id}/{verb}") { Content = Json(new JsonObject { ["reason"] = reason }.ToJsonString()) }, name, key: false);

    public static Task<(int Status, JsonNode? Body, HttpResponseHeaders Headers)> FetchAsync(this TestGateway gateway, string device, int? wait = null, string? token = null) =>
        AskAsync(gateway, OfDevice(HttpMethod.Get, wait is null ? "/device/v1/commands" : $"/device/v1/commands?wait={wait}", device, token), null, key: false);

    public static async Task<List<string>> NamesAsync(this TestGateway gateway, string device, string? token = null)
    {
        var (status, body, _) = await gateway.FetchAsync(device, token: token);
        Assert.Equal(200, status);
        return Names(body!);
    }

    public static List<string> Names(JsonNode body) => [.. body["commands"]!.AsArray().Select(c => (string)c!["name"]!)];

    public static Task<(int Status, JsonNode? Body, HttpResponseHeaders Headers)> AnswerAsync(this TestGateway gateway, string device, string id, string body, string? token = null)
    {
        var request = OfDevice(HttpMethod.Post, "/device/v1/commands/" + id, device, token);
        request.Content = Json(body);
        return AskAsync(gateway, request, null, key: false);
    }

    public static async Task<JsonNode> CommandAsync(this TestGateway gateway, string id, string field = StandInDevices.Cars) => await gateway.GetAsync($"/api/v1/fields/{field}/commands/{id}");

    public static async Task<string> StateAsync(this TestGateway gateway, string id) => (string)(await gateway.CommandAsync(id))["state"]!;

    private static HttpRequestMessage OfDevice(HttpMethod method, string path, string device, string? token)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token ?? "good-" + device);
        request.Headers.Add("Sekisho-Device", device);
        return request;
    }

    private static async Task<(int Status, JsonNode? Body, HttpResponseHeaders Headers)> AskAsync(TestGateway gateway, HttpRequestMessage request, string? name, bool key)
    {
        if (name is not null)
        {
            request.Headers.Add("X-Name", name);
            request.Headers.Add("X-Holder", key ? "key" : "person");
        }

        using (request)
        {
            using var response = await gateway.Http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response.Headers);
        }
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
