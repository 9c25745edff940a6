using System.Net;
using System.Net.Sockets;
using System.Text;
using Nacre.ControlPlane.Api;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Api;

/// <summary>What no client of good will sends, over plain sockets. Each test ends with a call that has to be answered as ever.</summary>
public sealed class HostileInputTests
{
    private static readonly FakeOperation Echo = new("DescribeFileSystems", changes: false, body => body.GetRawText());

    private static readonly string Chunk = $"10000\r\n{new string('x', 0x10000)}\r\n";

    public static TheoryData<string> BadBodies => new(
        "",
        " ",
        "null",
        "[]",
        "\"text\"",
        "1",
        "{",
        "{}}",
        "{} {}",
        "{\"A\":1,\"A\":2}",
        "{\"A\":{\"B\":1,\"\\u0042\":2}}",
        "{\"A\":NaN}",
        "{\"A\":Infinity}",
        "{\"A\":01}",
        "{\"A\":1,}",
        "{/* */\"A\":1}",
        "{\"A\":1}//",
        "{'A':1}",
        "{\"A\":\"\\ud800\"}",
        "{\"\\udc00\":1}",
        "{\"A\":\"\n\"}",
        "\ufeff{}",
        "{\"A\":" + new string('[', 40) + new string(']', 40) + "}",
        new string('[', 500_000),
        new string('{', 33));

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task BodyThatIsNoJsonObjectIsRefused(string body)
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        var answer = await endpoint.CallAsync("DescribeFileSystems", body);
        Assert.Equal((HttpStatusCode.BadRequest, "SerializationException"), (answer.Status, answer.Code));
        await AssertWellAsync(endpoint);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'{', (byte)'"', 0xff, (byte)'"', (byte)':', (byte)'1', (byte)'}' })]
    [InlineData(new byte[] { (byte)'{', (byte)'"', 0xc0, 0x80, (byte)'"', (byte)':', (byte)'1', (byte)'}' })]
    [InlineData(new byte[] { (byte)'{', (byte)'"', 0xed, 0xa0, 0x80, (byte)'"', (byte)':', (byte)'1', (byte)'}' })]
    [InlineData(new byte[] { 0xff, 0xfe, (byte)'{', 0, (byte)'}', 0 })]
    public async Task BodyThatIsNoUtf8IsRefused(byte[] body)
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        var answer = await endpoint.SendAsync(endpoint.Request("DescribeFileSystems", body), Endpoint.Admin);
        Assert.Equal((HttpStatusCode.BadRequest, "SerializationException"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task LargestBodyIsTakenAndALargerOneIsNot()
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        var largest = $"{{\"A\":\"{new string('x', new ApiLimits().BodyBytes - 8)}\"}}";
        Assert.Equal(new ApiLimits().BodyBytes, largest.Length);

        Assert.Equal(largest, (await endpoint.CallAsync("DescribeFileSystems", largest)).Body);
        var refused = await endpoint.CallAsync("DescribeFileSystems", largest + " ");

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "RequestEntityTooLargeException"), (refused.Status, refused.Code));
        await AssertWellAsync(endpoint);
    }

    [Theory]
    [InlineData(10_000_000)]
    [InlineData(1_048_577)]
    public async Task LargeBodyIsReadToItsEndAndRefused(int length)
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        var refused = await endpoint.CallAsync("DescribeFileSystems", new string(' ', length));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "RequestEntityTooLargeException"), (refused.Status, refused.Code));
        await AssertWellAsync(endpoint);
    }

    [Fact]
    public async Task ChunksBeyondTheBoundAreReadToTheirEndAndRefused()
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        using var socket = await endpoint.ConnectAsync();
        await SendAsync(socket, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (var i = 0; i < 160; i++) await SendAsync(socket, Chunk);
        await SendAsync(socket, "0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", await ReadUntilAsync(socket, "RequestEntityTooLargeException"));
        await AssertWellAsync(endpoint);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked")]
    [InlineData("Content-Length: 4000000000")]
    public async Task BodyWithoutEndIsCutOff(string framing)
    {
        await using var endpoint = await Endpoint.StartAsync(
            [Echo], options => options with { Limits = options.Limits with { SkippedBytes = 2 << 20 } });
        using var socket = await endpoint.ConnectAsync();
        await SendAsync(socket, $"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n");
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            for (var i = 0; i < 4000; i++) await SendAsync(socket, Chunk);
        });
        await AssertWellAsync(endpoint);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400)]
    [InlineData("POST / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/9.9\r\nHost: a\r\n\r\n", 505)]
    [InlineData("GARBAGE\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400)]
    [InlineData("\u0016\u0003\u0001\u0002\0\u0001\0\u0001\r\n\r\n", 400)]
    public async Task WhatIsNoHttpIsRefused(string request, int status)
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        using var socket = await endpoint.ConnectAsync();
        await SendAsync(socket, request);
        Assert.StartsWith($"HTTP/1.1 {status} ", await ReadToEndAsync(socket));
        await AssertWellAsync(endpoint);
    }

    [Fact]
    public async Task HeadersBeyondTheBoundsAreRefused()
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        foreach (var headers in (string[])[$"X: {new string('x', 20_000)}\r\n", string.Concat(Enumerable.Repeat("X: y\r\n", 100))])
        {
            using var socket = await endpoint.ConnectAsync();
            await SendAsync(socket, $"POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
            Assert.StartsWith("HTTP/1.1 431 ", await ReadToEndAsync(socket));
        }

        await AssertWellAsync(endpoint);
    }

    [Fact]
    public async Task HeadersThatDoNotComeInTimeAreNotWaitedFor()
    {
        await using var endpoint = await StartImpatientAsync();
        using var socket = await endpoint.ConnectAsync();
        await SendAsync(socket, "POST / HTTP/1.1\r\nHost:");
        Assert.StartsWith("HTTP/1.1 408 ", await ReadToEndAsync(socket));
        await AssertWellAsync(endpoint);
    }

    [Fact]
    public async Task BodyThatDoesNotComeInTimeIsNotWaitedFor()
    {
        await using var endpoint = await StartImpatientAsync();
        using var socket = await endpoint.ConnectAsync();
        await SendAsync(socket, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
        var answer = await ReadToEndAsync(socket);
        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("RequestTimeoutException", answer);
        await AssertWellAsync(endpoint);
    }

    [Fact]
    public async Task BodyThatIsBrokenOffIsForgotten()
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        var wire = await endpoint.WireAsync("DescribeFileSystems", "{\"A\":1}");
        for (var length = 1; length < wire.Length; length += 7)
        {
            using var socket = await endpoint.ConnectAsync();
            await socket.SendAsync(wire.AsMemory(0, length));
            socket.Shutdown(SocketShutdown.Send);
            Assert.DoesNotContain(" 200 ", await ReadToEndAsync(socket));
        }

        await AssertWellAsync(endpoint);
    }

    [Fact]
    public async Task RequestInSmallPiecesIsAnswered()
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        var wire = await endpoint.WireAsync("DescribeFileSystems", "{\"A\":1}");
        using var socket = await endpoint.ConnectAsync();
        foreach (var piece in wire.Chunk(5)) await socket.SendAsync(piece);
        await ReadUntilAsync(socket, "\r\n\r\n{\"A\":1}");
    }

    [Fact]
    public async Task RequestsOneBehindTheOtherAreAnsweredInOrder()
    {
        await using var endpoint = await Endpoint.StartAsync([Echo]);
        using var socket = await endpoint.ConnectAsync();
        byte[] wire = [];
        for (var i = 0; i < 20; i++) wire = [.. wire, .. await endpoint.WireAsync("DescribeFileSystems", $"{{\"A\":{i}}}")];
        await socket.SendAsync(wire);

        var text = await ReadUntilAsync(socket, "{\"A\":19}");

        var at = Enumerable.Range(0, 20).Select(i => text.IndexOf($"\r\n\r\n{{\"A\":{i}}}", StringComparison.Ordinal)).ToArray();
        Assert.DoesNotContain(-1, at);
        Assert.Equal(at.Order(), at);
    }

    [Fact]
    public async Task ConnectionsBeyondTheBoundAreClosed()
    {
        await using var endpoint = await Endpoint.StartAsync(
            [Echo], options => options with { Limits = options.Limits with { Connections = 3 } });
        var wire = await endpoint.WireAsync("DescribeFileSystems");
        var open = new List<Socket>();
        for (var i = 0; i < 3; i++)
        {
            var socket = await endpoint.ConnectAsync();
            await socket.SendAsync(wire);
            // Answered, so it is counted.
            await socket.ReceiveAsync(new byte[4096]).Within();
            open.Add(socket);
        }

        using (var tooMany = await endpoint.ConnectAsync())
        {
            Assert.Equal("", await ReadToEndAsync(tooMany));
        }

        open.ForEach(s => s.Dispose());
        await Eventually.TrueAsync(() => IsAnswered(endpoint));
    }

    [Fact]
    public async Task BodiesTogetherAreBounded()
    {
        await using var endpoint = await Endpoint.StartAsync(
            [Echo], options => options with { Limits = options.Limits with { AllBodiesBytes = 100_000 } });

        var refused = await endpoint.CallAsync("DescribeFileSystems", $"{{\"A\":\"{new string('x', 200_000)}\"}}");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "ServiceUnavailable"), (refused.Status, refused.Code));
        // What was refused is not counted any more.
        for (var i = 0; i < 10; i++) await AssertWellAsync(endpoint, new string('x', 10_000));
    }

    [Fact]
    public async Task RandomBytesDoNoHarm()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        await using var endpoint = await StartImpatientAsync();
        var wire = await endpoint.WireAsync("DescribeFileSystems", "{\"A\":1}");
        var requests = Enumerable.Range(0, 150).Select(_ =>
        {
            var bytes = wire.ToArray();
            for (var flips = random.Next(1, 6); flips > 0; flips--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            return bytes;
        }).ToArray();

        await Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (bytes, _) =>
        {
            using var socket = await endpoint.ConnectAsync();
            await socket.SendAsync(bytes, CancellationToken.None);
            var answer = await ReadToEndAsync(socket);
            var isFailure = answer.StartsWith("HTTP/1.1 5", StringComparison.Ordinal) && !answer.StartsWith("HTTP/1.1 505", StringComparison.Ordinal);
            Assert.False(isFailure, $"seed {seed}: '{answer}' to {Encoding.Latin1.GetString(bytes)}");
        });

        await AssertWellAsync(endpoint);
    }

    private static Task<Endpoint> StartImpatientAsync() => Endpoint.StartAsync([Echo], options => options with
    {
        Limits = options.Limits with
        {
            HeadersTime = TimeSpan.FromMilliseconds(200),
            BodyTime = TimeSpan.FromMilliseconds(200),
            KeepAlive = TimeSpan.FromSeconds(1),
        },
    });

    private static bool IsAnswered(Endpoint endpoint)
    {
        try
        {
            return endpoint.CallAsync("DescribeFileSystems").GetAwaiter().GetResult().Code == "OK";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task AssertWellAsync(Endpoint endpoint, string text = "well")
    {
        var body = $"{{\"A\":\"{text}\"}}";
        Assert.Equal(body, (await endpoint.CallAsync("DescribeFileSystems", body)).Body);
    }

    private static Task SendAsync(Socket socket, string text) => socket.SendAsync(Encoding.Latin1.GetBytes(text)).Within();

    private static async Task<string> ReadUntilAsync(Socket socket, string last)
    {
        var text = new StringBuilder();
        var buffer = new byte[64 << 10];
        while (!text.ToString().Contains(last, StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(buffer).Within();
            Assert.True(read > 0, $"closed after: {text}");
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[64 << 10];
        try
        {
            while (await socket.ReceiveAsync(buffer).Within() is > 0 and var read) text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (SocketException)
        {
            // Reset, since it had not read all that was sent.
        }

        return text.ToString();
    }
}
