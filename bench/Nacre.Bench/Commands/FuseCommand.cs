using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Bench.Fuse;
using Nacre.Fuse;

namespace Nacre.Bench.Commands;

/// <summary><c>fuse</c>: mounts a file system that costs nothing, to measure the FUSE layer with programs such as fio, until it is unmounted.</summary>
internal static class FuseCommand
{
    public static Command Make()
    {
        var folder = new Argument<string>("folder") { Description = "Where to mount it." };
        var threads = new Option<int>("--threads") { Description = "Threads that read requests; 0 for the default." };
        var caches = new Option<bool>("--cache") { Description = "Let the kernel cache names and attributes." };
        var command = new Command("fuse", "Mounts a file system that costs nothing, until it is unmounted.") { folder, threads, caches };
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetRequiredValue(folder), new FuseOptions { MaxThreads = parsed.GetValue(threads) }, parsed.GetValue(caches), ct));
        return command;
    }

    private static async Task<int> RunAsync(string folder, FuseOptions options, bool caches, CancellationToken ct)
    {
        await using var mount = await FuseMount.MountAsync(new NullVfs(caches), "null", folder, options, NullLogger.Instance, ct);
        long before = GC.GetTotalAllocatedBytes();
        await mount.Ended.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Console.WriteLine($"{GC.GetTotalAllocatedBytes() - before} bytes allocated while it was mounted");
        return 0;
    }
}
