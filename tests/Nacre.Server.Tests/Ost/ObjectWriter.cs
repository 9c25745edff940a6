using System.Globalization;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

/// <summary>A program that changes objects and says what is done, until it is killed.</summary>
internal static class ObjectWriter
{
    public const int Objects = 20, Blocks = 16, BlockBytes = 5000;

    /// <summary>What version <paramref name="version"/> of a block contains.</summary>
    public static byte[] Content(int version)
    {
        var data = new byte[BlockBytes];
        new Random(version).NextBytes(data);
        return data;
    }

    public static async Task RunAsync(string[] args)
    {
        await using var store = ObjectStore.Open(args[0], new ObjectStoreOptions { CapacityBytes = 1L << 30, MaxOpenObjects = 4 },
            TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<ObjectStore>.Instance);
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var random = new Random(int.Parse(args[1], CultureInfo.InvariantCulture));
        var generation = new uint[Objects];
        for (int version = 1; ; version++)
        {
            uint which = (uint)random.Next(Objects);
            uint oid = generation[which] * Objects + which + 1;
            int block = random.Next(Blocks);
            // What is announced may be half done when the process dies; what is confirmed is done.
            if (random.Next(10) == 0)
            {
                await output.WriteLineAsync($"destroying {oid}");
                await store.DestroyAsync(Stores.FidOf(oid), default);
                generation[which]++;
                await output.WriteLineAsync($"destroyed {oid}");
                continue;
            }
            await output.WriteLineAsync($"writing {oid} {block} {version}");
            using (var stored = store.Open(Stores.FidOf(oid)))
                stored.WriteAll(block * BlockBytes, Content(version), new ObjectChange { MTime = version, DataVersion = (ulong)version });
            await output.WriteLineAsync($"written {oid} {block} {version}");
        }
    }
}
