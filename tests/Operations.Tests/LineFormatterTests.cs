using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Sekisho.Operations.Logging;
using Sekisho.Tests.Support;

namespace Sekisho.Operations.Tests;

public partial class LineFormatterTests
{
    private static readonly string Id = "0123456789abcdef0123456789abcdef";

    [Fact]
    public void A_text_line_has_utc_time_level_category_event_and_correlation_id()
    {
        var line = Write("text", Scope(Id), l => Refused(l, "d1", "too large"));
        Assert.Equal($"2026-04-01T00:00:00.000Z warn Sekisho.Test[6123] {Id} d1 refused: too large\n", line);
    }

    [Fact]
    public void A_json_line_has_the_same_and_the_values()
    {
        var json = JsonNode.Parse(Write("json", Scope(Id), l => Refused(l, "d1", "too\nlarge 大")))!;
        Assert.Equal("2026-04-01T00:00:00.000Z", json["time"]!.GetValue<string>());
        Assert.Equal(("warn", 6123, Id), (json["level"]!.GetValue<string>(), json["event"]!.GetValue<int>(), json["correlationId"]!.GetValue<string>()));
        Assert.Equal("too\nlarge 大", json["values"]!["Reason"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public void No_value_can_forge_a_second_line(string format)
    {
        var line = Write(format, null, l => Refused(l, "d1\r\n2026-04-01T00:00:00.000Z info Sekisho[1] forged\u001b[2J\u2028x\u0085", "x"));
        Assert.Equal(1, line.Count(c => c == '\n'));
        Assert.DoesNotContain('\u001b', line);
        Assert.DoesNotContain('\u0085', line);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public void An_exception_stays_on_the_line(string format)
    {
        var line = Write(format, null, l => Failed(l, new InvalidOperationException("first\nsecond")));
        Assert.Equal(1, line.Count(c => c == '\n'));
        Assert.Contains("first\\nsecond", line, StringComparison.Ordinal);
    }

    private static LoggerExternalScopeProvider Scope(string id)
    {
        var scopes = new LoggerExternalScopeProvider();
        scopes.Push("a plain scope");
        scopes.Push(new Dictionary<string, object?> { ["CorrelationId"] = id });
        return scopes;
    }

    private static string Write(string format, IExternalScopeProvider? scopes, Action<ILogger> log)
    {
        var logger = new CapturingLogger(new LineFormatter(new LoggingSettings { Format = format }, new ManualClock()), scopes);
        log(logger);
        return logger.Text.Replace(Environment.NewLine, "\n", StringComparison.Ordinal);
    }

    [LoggerMessage(6123, LogLevel.Warning, "{Device} refused: {Reason}")]
    private static partial void Refused(ILogger logger, string device, string reason);

    [LoggerMessage(6124, LogLevel.Error, "failed")]
    private static partial void Failed(ILogger logger, Exception fault);

    private sealed class CapturingLogger(LineFormatter formatter, IExternalScopeProvider? scopes) : ILogger
    {
        public string Text { get; private set; } = "";

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter1)
        {
            using var writer = new StringWriter();
            formatter.Write(new LogEntry<TState>(logLevel, "Sekisho.Test", eventId, state, exception, formatter1), scopes, writer);
            Text += writer.ToString();
        }
    }
}
