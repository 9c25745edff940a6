using System.Diagnostics;
using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Xunit.Abstractions;

namespace Nacre.EndToEnd;

/// <summary>
/// A directory of 20,000 entries; of as many as <c>NACRE_BIG_DIRECTORY</c> says when it is set. Rates are printed, not tested: they depend on the
/// machine.
/// </summary>
[Collection(Alone.Name)]
public sealed class BigDirectoryTests(ITestOutputHelper output)
{
    private const int Workers = 32;
    private const int Step = 10_000;

    [Fact]
    public async Task EveryNameOfABigDirectoryIsFoundListedAndRemoved()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("NACRE_BIG_DIRECTORY") ?? "20000");
        await using var server = await TestServer.StartAsync();
        var client = await server.MountAsync();
        var directory = await client.MkdirAsync(client.Root, "big");
        for (var done = 0; done < count; done += Step)
        {
            var start = Stopwatch.GetTimestamp();
            await ForAllAsync(done, Math.Min(count, done + Step), i => client.MknodAsync(directory, $"name-{i}", FileType.Regular | 0x1A4));
            output.WriteLine($"{done + Step} names: {Step / Stopwatch.GetElapsedTime(start).TotalSeconds:n0}/s");
        }

        var listed = await client.ReadDirAsync(directory);
        Assert.Equal(count + 2, listed.Count);
        Assert.Equal(count + 2, listed.Select(entry => entry.Name).ToHashSet().Count);
        Assert.Equal(listed.Count, listed.Select(entry => entry.Fid).Distinct().Count());
        for (var i = 0; i < count; i += count / 50)
        {
            Assert.NotNull(await client.LookupAsync(directory, $"name-{i}"));
        }

        await ForAllAsync(0, Math.Min(count, Step), i => client.UnlinkAsync(directory, $"name-{i}"));
        Assert.Equal(count + 2 - Math.Min(count, Step), (await client.ReadDirAsync(directory)).Count);
    }

    private static async Task ForAllAsync(int from, int to, Func<int, Task> operation)
    {
        var next = from - 1;
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(async _ =>
        {
            for (var i = Interlocked.Increment(ref next); i < to; i = Interlocked.Increment(ref next))
            {
                await operation(i);
            }
        }));
    }
}
