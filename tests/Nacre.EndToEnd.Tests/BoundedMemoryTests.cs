using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Xunit.Abstractions;

namespace Nacre.EndToEnd;

/// <summary>
/// Many clients with many large writes in flight: the server's memory stays what it was configured to. 50 clients;
/// <c>NACRE_MEMORY_CLIENTS</c> sets another number.
/// </summary>
[Collection(Alone.Name)]
public sealed class BoundedMemoryTests(ITestOutputHelper output)
{
    private const int WritesInFlight = 8;
    private const int WriteBytes = 4 << 20;
    private const long PoolBytes = 64L << 20;
    private const long Allowance = 192L << 20;

    [Fact]
    public async Task WritesOfManyClientsStayWithinThePool()
    {
        var clients = int.Parse(Environment.GetEnvironmentVariable("NACRE_MEMORY_CLIENTS") ?? "50");
        await using var server = await TestServer.StartAsync(new TestServerOptions { BulkMemoryBytes = PoolBytes });
        var files = new List<(ScriptedClient Client, OpenFile File)>();
        for (var i = 0; i < clients; i++)
        {
            var client = await server.MountAsync();
            files.Add((client, await client.CreateAsync(client.Root, $"f{i}", Layouts.Striped(1, 1 << 20))));
        }

        GC.Collect();
        var before = Environment.WorkingSet;
        var data = new byte[WriteBytes];
        Random.Shared.NextBytes(data);
        using var watching = new CancellationTokenSource();
        var peaks = WatchAsync(server, watching.Token);

        await Task.WhenAll(files.SelectMany(entry => Enumerable.Range(0, WritesInFlight).Select(
            i => entry.Client.WriteThroughAsync(entry.File, (ulong)i * WriteBytes, data))));

        await watching.CancelAsync();
        var (buffers, memory) = await peaks;
        output.WriteLine($"{clients} clients, {WritesInFlight} writes of 4 MiB each: {buffers} buffers of {PoolBytes >> 20}, {(memory - before) >> 20} MiB more");
        Assert.InRange(buffers, 1, (int)(PoolBytes >> 20));
        Assert.InRange(memory - before, long.MinValue, PoolBytes + Allowance);
        Assert.Equal((ulong)(WritesInFlight * WriteBytes), await files[^1].Client.SizeAsync(files[^1].File));
        await Wait.UntilAsync(() => server.Node.Load is { BulkBuffers: 0, BulkWaiting: 0 }, "the pool is whole again");
    }

    private static async Task<(int Buffers, long Memory)> WatchAsync(TestServer server, CancellationToken end)
    {
        var (buffers, memory) = (0, 0L);
        while (!end.IsCancellationRequested)
        {
            buffers = Math.Max(buffers, server.Node.Load.BulkBuffers);
            memory = Math.Max(memory, Environment.WorkingSet);
            await Task.Delay(1, CancellationToken.None);
        }

        return (buffers, memory);
    }
}
