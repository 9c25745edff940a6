using System.Net;
using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Xunit.Abstractions;

namespace Nacre.EndToEnd;

/// <summary>
/// The server is killed while clients work. After its restart every operation that was answered is there, what was not answered is there whole or
/// not at all, and the client goes on with the same mount.
/// </summary>
[Collection(Alone.Name)]
public sealed class DurabilityTests(ITestOutputHelper output)
{
    private const int Workers = 6;
    private const int Rounds = 2;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task WhatWasAnsweredSurvivesAKill(int seed)
    {
        output.WriteLine($"seed {seed}");
        using var folder = new TestFolder();
        var port = TestServer.FreePort();
        var node = await ChildNode.StartAsync(folder.Path, port, "demo01,osts=2,capacity-gib=100");
        try
        {
            await using var client = await ScriptedClient.MountAsync(ClientOptions(port)).WithinBoundsAsync();
            var workers = new List<DurabilityWorker>();
            for (var i = 0; i < Workers; i++)
            {
                workers.Add(await DurabilityWorker.StartAsync(client, $"worker{i}", new Random((seed * 100) + i)));
            }

            for (var round = 1; round <= Rounds; round++)
            {
                var working = workers.Select(worker => worker.WorkUntilItFailsAsync()).ToArray();
                var enough = workers.Sum(worker => worker.Done) + new Random((seed * 10) + round).Next(100, 600);
                await Wait.UntilAsync(() => workers.Sum(worker => worker.Done) >= enough, $"{enough} operations are done");
                await node.KillAsync();
                await node.DisposeAsync();
                node = await ChildNode.StartAsync(folder.Path, port, "demo01");

                await Task.WhenAll(working).WithinBoundsAsync();
                await client.ReconnectAsync();
                output.WriteLine($"round {round}: {workers.Sum(worker => worker.Done)} operations done, evicted {client.Evictions} times");
                foreach (var worker in workers)
                {
                    await worker.VerifyAsync();
                }
            }

            Assert.DoesNotContain("fail:", node.Output);
        }
        finally
        {
            await node.DisposeAsync();
        }
    }

    private static ScriptedClientOptions ClientOptions(int port) => new()
    {
        Transport = new TcpTransport(),
        Server = new IPEndPoint(IPAddress.Loopback, port),
        ServerNid = Nid.Parse("127.0.0.1@tcp"),
        Nid = Nid.Parse("10.1.0.1@tcp"),
        FileSystem = "demo01",
    };
}
