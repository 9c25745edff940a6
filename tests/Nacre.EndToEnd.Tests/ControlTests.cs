using System.Net.Sockets;
using System.Text;
using Nacre.EndToEnd.Harness;
using Nacre.Server.Node;
using Nacre.Server.Node.Control;

namespace Nacre.EndToEnd;

/// <summary>Commands to a running node through its control socket.</summary>
public sealed class ControlTests
{
    private static readonly ControlRequest ShowStatus = new(ControlRequest.ShowStatus);

    [Fact]
    public async Task StatusShowsTargetsClientsAndSpace()
    {
        await using var server = await TestServer.StartAsync(new TestServerOptions { CapacityGib = 2400 });
        var client = await server.MountAsync();
        var file = await client.CreateAsync(client.Root, "file", Layouts.Striped(1, 65536));
        await client.WriteAsync(file, 0, new byte[1 << 20]);

        var status = await AskAsync(server, ShowStatus);

        Assert.Equal(("10.0.0.1@tcp", 988, 1), (status.Nid, status.LNetPort, status.Clients));
        var fileSystem = Assert.Single(status.FileSystems);
        Assert.Equal(("nacre01", 2400), (fileSystem.Name, fileSystem.CapacityGib));
        Assert.Equal(["nacre01-MDT0000", "nacre01-OST0000", "nacre01-OST0001"], fileSystem.Targets.Select(target => target.Name));
        Assert.Equal(1, fileSystem.Targets[0].Clients);
        Assert.Equal(1200L << 30, fileSystem.Targets[1].CapacityBytes);
        Assert.Equal(1 << 20, fileSystem.Targets.Sum(target => target.UsedBytes ?? 0));
    }

    [Fact]
    public async Task AddedOstsReachAMountedClient()
    {
        await using var server = await TestServer.StartAsync(new TestServerOptions { CapacityGib = 2400 });
        var client = await server.MountAsync();
        // Two commands at a time: they must not take the same index.
        var add = new ControlRequest(ControlRequest.AddOsts, "nacre01", 2);
        await Task.WhenAll(AskAsync(server, add), AskAsync(server, add));
        await Wait.UntilAsync(() => client.Osts.Count == 6, "the client knows all OSTs");

        var fileSystem = Assert.Single((await AskAsync(server, ShowStatus)).FileSystems);
        Assert.Equal(7200, fileSystem.CapacityGib);
        Assert.Equal("nacre01-OST0005", fileSystem.Targets[^1].Name);
    }

    [Theory]
    [InlineData("no-such-command", "nacre01", 1, "does not know the command")]
    [InlineData(ControlRequest.AddOsts, "nothere", 1, "no file system 'nothere'")]
    [InlineData(ControlRequest.AddOsts, "nacre01", 0, "0 OSTs cannot be added")]
    [InlineData(ControlRequest.AddOsts, "nacre01", 255, "255 OSTs cannot be added")]
    public async Task WhatCannotBeDoneIsRefusedInOneLine(string command, string fileSystem, int count, string why)
    {
        await using var server = await TestServer.StartAsync();
        var refused = await Assert.ThrowsAsync<NodeConfigurationException>(() => AskAsync(server, new ControlRequest(command, fileSystem, count)));
        Assert.Contains(why, refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Equal(2, server.Node.FileSystems.Single().OstCount);
    }

    [Fact]
    public async Task NonsenseIsAnsweredAndHangingCallersDoNotBlockOthers()
    {
        await using var server = await TestServer.StartAsync();
        using var silent = await ConnectAsync(server);
        using var half = await ConnectAsync(server);
        await half.SendAsync("{\"command\":"u8.ToArray());
        using var wrong = await ConnectAsync(server);
        await wrong.SendAsync("[1,2\n"u8.ToArray());
        var answer = new byte[1000];
        var length = await wrong.ReceiveAsync(answer);
        Assert.StartsWith("{\"error\":", Encoding.UTF8.GetString(answer, 0, length));
        Assert.Single((await AskAsync(server, ShowStatus)).FileSystems);
    }

    [Fact]
    public async Task TheSocketIsTheOwnersAloneAndGoesWithTheNode()
    {
        string folder, path;
        await using (var server = await TestServer.StartAsync())
        {
            folder = server.DataFolder;
            path = Path.Combine(folder, "nacre.sock");
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(path).UnixFileMode);
            await server.RestartAsync();
            Assert.Single((await AskAsync(server, ShowStatus)).FileSystems);
            await server.Node.DisposeAsync();
            Assert.False(File.Exists(path));
            var gone = await Assert.ThrowsAsync<NodeConfigurationException>(() => AskAsync(server, ShowStatus));
            Assert.Equal($"no node runs on {folder}", gone.Message);
        }
    }

    /// <summary>A killed node leaves its socket behind.</summary>
    [Fact]
    public async Task ASocketOfAKilledNodeIsReplaced()
    {
        await using var server = await TestServer.StartAsync();
        await server.Node.DisposeAsync();
        var path = Path.Combine(server.DataFolder, "nacre.sock");
        // The runtime would remove a socket that it closes itself.
        await File.WriteAllTextAsync(path, "");
        Assert.Contains("no node runs", (await Assert.ThrowsAsync<NodeConfigurationException>(() => AskAsync(server, ShowStatus))).Message);
        await server.RestartAsync();
        Assert.Single((await AskAsync(server, ShowStatus)).FileSystems);
    }

    private static Task<NodeStatus> AskAsync(TestServer server, ControlRequest request) =>
        ControlClient.AskAsync(server.DataFolder, request, CancellationToken.None);

    private static async Task<Socket> ConnectAsync(TestServer server)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(server.DataFolder, "nacre.sock")));
        return socket;
    }
}
