using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Nacre.ControlPlane.Api;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Api;

/// <summary>Lines of the web server, which whoever connects can cause.</summary>
public sealed class LimitedLogTests
{
    [Fact]
    public void OfEachKindTenLinesInTenSecondsPassAndTheRestIsCounted()
    {
        var log = new LogRecorder<ApiServer>();
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        using var factory = new LimitedLoggerFactory(new RecorderFactory(log), time);
        var limited = factory.CreateLogger("web server");

        for (var i = 0; i < 25; i++) limited.Log(LogLevel.Warning, new EventId(24), "rejected", null, (text, _) => text);
        limited.Log(LogLevel.Warning, new EventId(22), "slow", null, (text, _) => text);
        Assert.Equal([.. Enumerable.Repeat("rejected", 10), "slow"], log.Lines.Select(line => line.Text));

        time.Advance(TimeSpan.FromSeconds(10));
        limited.Log(LogLevel.Warning, new EventId(24), "rejected", null, (text, _) => text);
        Assert.Equal(["Left out 15 lines of the kind of the next one", "rejected"], log.Lines.Skip(11).Select(line => line.Text));
    }

    [Fact]
    public async Task ConnectionsBeyondTheBoundDoNotFillTheLog()
    {
        var log = new LogRecorder<ApiServer>();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var endpoint = await Endpoint.StartAsync(
            change: options => options with { Limits = options.Limits with { Connections = 1 } }, time: time, logging: new RecorderFactory(log));
        using var held = await endpoint.ConnectAsync();
        await held.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
        Assert.NotEqual(0, await held.ReceiveAsync(new byte[1]).Within());

        for (var i = 0; i < 50; i++)
        {
            using var socket = await endpoint.ConnectAsync();
            Assert.Equal(0, await ReceiveAsync(socket));
        }

        Assert.Equal(10, log.Lines.Count(line => line.Text.Contains("rejected", StringComparison.Ordinal)));
    }

    private static async Task<int> ReceiveAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).Within();
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
