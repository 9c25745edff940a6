using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.LNet;
using Nacre.Server.Node;

namespace Nacre.Cli.Tests;

/// <summary><c>nacre diagnose</c> against a node that is well, and against each thing that can be wrong.</summary>
public sealed class DiagnoseTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-diagnose-");
    private readonly int _port = FreePort();
    private NacreNode? _node;

    public async Task InitializeAsync() => _node = await NacreNode.StartAsync(
        new NodeOptions
        {
            DataFolder = _folder.FullName,
            Nid = Nid.FromTcp(IPAddress.Loopback),
            LNetPort = _port,
            FileSystems = [FileSystemSpec.Parse("demo,osts=2")],
        },
        TimeProvider.System,
        NullLoggerFactory.Instance,
        CancellationToken.None);

    public async Task DisposeAsync()
    {
        await _node!.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_healthy_file_system_passes_every_step()
    {
        var (status, steps) = await RunAsync("127.0.0.1@tcp:/demo", _port);
        Assert.Equal(0, status);
        Assert.All(steps, static step => Assert.Equal(("ok", ""), (step.Verdict, step.Advice)));
        Assert.Equal(
            ["address", "port", "lnet", "management", "version", "configuration", "target", "version", "clock", "target", "version", "target", "version"],
            steps.Select(static step => step.Step));
        Assert.Equal(
            ["demo-MDT0000_UUID", "demo-OST0000_UUID", "demo-OST0001_UUID"],
            steps.Where(static step => step.Step == "target").Select(static step => step.Subject).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_port_nobody_listens_on()
    {
        var (status, steps) = await RunAsync("127.0.0.1@tcp:/demo", 1);
        Assert.Equal((1, "port", "failed", "nothing listens on 127.0.0.1:1"), (status, steps[^1].Step, steps[^1].Verdict, steps[^1].Message));
        Assert.Contains("-o port=N", steps[^1].Advice, StringComparison.Ordinal);
    }

    /// <summary>The second management node answers: the first is a warning, no reason not to mount.</summary>
    [Fact]
    public async Task One_management_node_of_two_is_down()
    {
        var (status, steps) = await RunAsync("127.0.0.9@tcp:127.0.0.1@tcp:/demo", _port);
        Assert.Equal(("port", "warning"), (steps[1].Step, steps[1].Verdict));
        Assert.Equal(3, status);
    }

    [Fact]
    public async Task A_file_system_that_is_not_there()
    {
        var (status, steps) = await RunAsync("127.0.0.1@tcp:/other", _port);
        Assert.Equal((1, "configuration", "failed"), (status, steps[^1].Step, steps[^1].Verdict));
        Assert.Equal("no file system named other at 127.0.0.1@tcp", steps[^1].Message);
        Assert.Contains("nacre status", steps[^1].Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_program_has_the_port()
    {
        using var stranger = new TcpListener(IPAddress.Loopback, 0);
        stranger.Start();
        var answering = AnswerAsync(stranger);
        var (status, steps) = await RunAsync("127.0.0.1@tcp:/demo", ((IPEndPoint)stranger.LocalEndpoint).Port);
        Assert.Equal((1, "lnet", "failed"), (status, steps[^1].Step, steps[^1].Verdict));
        stranger.Stop();
        await answering;
    }

    [Fact]
    public async Task People_read_words_and_what_to_do()
    {
        using var output = new StringWriter();
        Assert.Equal(1, await DiagnoseCommand.RunAsync("127.0.0.1@tcp:/demo", "port=1", json: false, output, CancellationToken.None));
        Assert.Contains("FAIL  port           nothing listens on 127.0.0.1:1\n", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("-> start the server there", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, await DiagnoseCommand.RunAsync("nonsense", "", json: false, output, CancellationToken.None));
    }

    /// <summary>As a web server would: it takes anything and says something else.</summary>
    private static async Task AnswerAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"u8.ToArray());
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // Stopped, or the other side is gone.
        }
    }

    private static async Task<(int Status, List<Line> Steps)> RunAsync(string device, int port)
    {
        using var output = new StringWriter();
        // An ordinary user's way: a test's node takes callers from any port.
        var options = $"noprivport,port={port.ToString(CultureInfo.InvariantCulture)}";
        var status = await DiagnoseCommand.RunAsync(device, options, json: true, output, CancellationToken.None);
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (status, [.. lines.Select(static line => JsonSerializer.Deserialize<Line>(line, JsonSerializerOptions.Web)!)]);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private sealed record Line(string Step, string Subject, string Verdict, string Message, string Advice);
}
