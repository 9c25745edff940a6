using System.Collections.Concurrent;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>What one client asks for leaves room for the others.</summary>
public class FairnessTests
{
    private readonly FakeTarget _ost = new(TargetKind.Ost, "demo01-OST0000_UUID");

    /// <summary>Waiting requests of one client fill half of the room, whatever it sends and over however many connections.</summary>
    [Fact]
    public async Task AFloodOfWaitingRequestsLeavesRoomForOthers()
    {
        var running = new ConcurrentBag<string>();
        var go = new TaskCompletionSource();
        _ost.On(Opcode.OstStatfs, async request =>
        {
            running.Add(request.Export.ClientUuid);
            await go.Task;
        });
        await using var network = await RpcNetwork.StartAsync(new RpcServerOptions { MaxWaitingBytes = 8000 }, _ost);
        var greedy = await network.AddScriptedClientAsync();
        var sibling = new ScriptedClient(greedy.Node, greedy.Server);
        await greedy.ConnectAsync(_ost);
        await sibling.ConnectAsync(_ost);
        var flood = Enumerable.Range(0, 100).Select(i => Ask(i % 2 == 0 ? greedy : sibling)).ToList();
        await Eventually.TrueAsync(() => running.Count + network.Server.Counters(_ost).Dropped == 100);
        Assert.InRange(network.Server.WaitingBytes, 4000, 4300);

        var modest = new List<ScriptedClient>();
        for (var i = 0; i < 5; i++)
        {
            var client = await network.AddScriptedClientAsync();
            modest.Add(client);
            await client.ConnectAsync(_ost);
            flood.Add(Ask(client));
        }

        await Eventually.TrueAsync(() => modest.All(client => running.Contains(client.Uuid)));
        go.SetResult();
        await Eventually.TrueAsync(() => network.Server.WaitingBytes == 0);
        flood.ForEach(call => call.Dispose());
    }

    private static ScriptedCall Ask(ScriptedClient client) =>
        client.Send(Portal.OstRequest, client.NewRequest(Opcode.OstStatfs), client.NextXid());
}
