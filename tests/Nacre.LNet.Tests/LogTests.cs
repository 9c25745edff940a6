using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;

namespace Nacre.LNet.Tests;

/// <summary>A peer cannot fill the log, and the log says what it left out.</summary>
public class LogTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void LinesAreLimitedAndThoseLeftOutCounted()
    {
        var limit = new LogRateLimit(_time, lines: 2, periodMilliseconds: 1000);
        _time.Advance(TimeSpan.FromSeconds(1));
        var written = Enumerable.Range(0, 10).Count(_ => limit.TryEnter(out var none) && none == 0);
        Assert.Equal(2, written);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(limit.TryEnter(out var suppressed));
        Assert.Equal(8, suppressed);
    }

    /// <summary>Callers of another protocol, and peers that break ours: events 1003, 1004 and 1002.</summary>
    [Theory]
    [InlineData(1002, true)]
    [InlineData(1003, false)]
    [InlineData(1004, true)]
    public async Task AFloodOfOneKindLeavesTenLinesAndACount(int eventId, bool afterHello)
    {
        var lines = new Lines();
        var transport = new InMemoryTransport(_time);
        await using var server = new LNetNode(new LNetOptions { LocalNid = NodePair.ServerNid }, transport, _time, lines);
        await server.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        for (var i = 0; i < 30; i++) await OffendAsync(transport, server, afterHello);
        await Wait.UntilAsync(() => server.ConnectionCount == 0 && server.HandshakeCount == 0, "the callers to be gone");
        Assert.Equal(10, lines.Of(eventId).Length);

        _time.Advance(TimeSpan.FromSeconds(10));
        await OffendAsync(transport, server, afterHello);
        await Wait.UntilAsync(() => lines.Of(eventId).Length == 11, "the next line");
        Assert.Contains("(20 lines like this left out)", lines.Of(eventId)[^1]);
    }

    private static async Task OffendAsync(InMemoryTransport transport, LNetNode server, bool afterHello)
    {
        using var peer = afterHello
            ? await ScriptedPeer.ConnectAsync(transport, server)
            : await ScriptedPeer.DialAsync(transport, server.ListeningAt!);
        await peer.SendAsync("GET / HTTP/1.1\r\nHost: nobody, and some more text\r\n\r\n"u8.ToArray());
        Assert.Empty(await peer.ReadToEndAsync());
    }

    private sealed class Lines : ILogger<LNetNode>
    {
        private readonly ConcurrentQueue<(int Id, string Text)> _all = new();

        public string[] Of(int id) => [.. _all.Where(line => line.Id == id).Select(line => line.Text)];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _all.Enqueue((eventId.Id, formatter(state, exception)));
    }
}
