using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage;

namespace Nacre.Bench;

/// <summary>
/// The metadata store without protocol: microseconds an operation on one thread, creates a second when each waits for its commit, and
/// what a name costs in a directory of ten thousand and of a million. The floor beside the creates is a raw append of the same
/// number of 4 KiB pages.
/// </summary>
internal static class MetadataBench
{
    private static readonly byte[] Layout = new byte[56];

    public static async Task RunAsync(string[] args)
    {
        int bigDirectory = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 1_000_000;
        string folder = Directory.CreateTempSubdirectory("nacre-bench-").FullName;
        try
        {
            using var store = MetadataStore.Open(Path.Combine(folder, "mdt.db"), new MetadataStoreOptions(), TimeProvider.System,
                NullLogger.Instance);
            using var fs = new MdtFileSystem(store, new MdtFileSystemOptions(), TimeProvider.System);
            Floor(folder);
            await CreatesAsync(store, fs, waiters: 1, count: 5_000);
            await CreatesAsync(store, fs, waiters: 16, count: 100_000);
            await CreatesAsync(store, fs, waiters: 64, count: 100_000);
            Reads(store, fs);
            await BigDirectoryAsync(store, fs, bigDirectory);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Floor(string folder)
    {
        using var file = File.OpenHandle(Path.Combine(folder, "floor"), FileMode.Create, FileAccess.Write);
        var page = new byte[4096];
        const int Pages = 20_000;
        var start = Mark.Now();
        for (int i = 0; i < Pages; i++)
        {
            RandomAccess.Write(file, page, (long)i * page.Length);
        }
        Report("floor: append of a 4 KiB page", Pages, start);
    }

    private static async Task CreatesAsync(MetadataStore store, MdtFileSystem fs, int waiters, int count)
    {
        var (directory, sequence) = NewDirectory(store, fs, $"w{waiters}");
        await CreateAllAsync(store, fs, directory, sequence, 1, count / 10, waiters); // warm
        var start = Mark.Now();
        await CreateAllAsync(store, fs, directory, sequence, count / 10 + 1, count, waiters);
        Report($"create, each waits for its commit, {waiters} at a time", count, start);
    }

    private static async Task CreateAllAsync(
        MetadataStore store, MdtFileSystem fs, LuFid directory, ulong sequence, int first, int count, int waiters)
    {
        int next = first - 1;
        await Task.WhenAll(Enumerable.Range(0, waiters).Select(_ => Task.Run(async () =>
        {
            for (int i = Interlocked.Increment(ref next); i < first + count; i = Interlocked.Increment(ref next))
            {
                await store.WhenCommitted(Create(store, fs, directory, new LuFid(sequence, (uint)i), i));
            }
        })));
    }

    private static ulong Create(MetadataStore store, MdtFileSystem fs, LuFid directory, LuFid fid, int number)
    {
        Span<byte> name = stackalloc byte[32];
        System.Buffers.Text.Utf8Formatter.TryFormat(number, name[5..], out int digits);
        "file-"u8.CopyTo(name);
        name = name[..(5 + digits)];
        lock (store.Gate)
        {
            fs.Lookup(MdtCredentials.Root, directory, name);
            var result = fs.Create(MdtCredentials.Root, new CreateArgs
            {
                Parent = directory,
                Name = name,
                Fid = fid,
                Mode = 0x81A4,
                Time = 1_700_000_000 + number,
                Layout = Layout,
            });
            fs.Open(MdtCredentials.Root, fid, OpenMode.Write, created: true);
            fs.Close(fid, OpenMode.Write, null);
            return result.Transaction;
        }
    }

    private static void Reads(MetadataStore store, MdtFileSystem fs)
    {
        LuFid directory;
        lock (store.Gate)
        {
            directory = fs.Lookup(MdtCredentials.Root, MdtFileSystem.Root, "w16"u8).Object.Fid;
        }
        const int Count = 500_000;
        var start = Mark.Now();
        for (int i = 0; i < Count; i++)
        {
            lock (store.Gate)
            {
                fs.GetAttr(directory);
            }
        }
        Report("getattr, cached", Count, start);
        var name = Encoding.ASCII.GetBytes("file-77");
        start = Mark.Now();
        for (int i = 0; i < Count; i++)
        {
            lock (store.Gate)
            {
                fs.Lookup(MdtCredentials.Root, directory, name);
            }
        }
        Report("lookup, cached", Count, start);
    }

    private static async Task BigDirectoryAsync(MetadataStore store, MdtFileSystem fs, int size)
    {
        var (directory, sequence) = NewDirectory(store, fs, "big");
        const int Step = 10_000;
        for (int done = 0; done < size; done += Step)
        {
            var start = Mark.Now();
            await CreateAllAsync(store, fs, directory, sequence, done + 1, Step, 16);
            if (done + Step is Step or 2 * Step or 100_000 || (done + Step) % 250_000 == 0)
            {
                Report($"create, 16 at a time, directory of {done + Step}", Step, start);
            }
        }
    }

    private static (LuFid Directory, ulong Sequence) NewDirectory(MetadataStore store, MdtFileSystem fs, string name)
    {
        lock (store.Gate)
        {
            var fid = new LuFid(fs.AllocateSequence(), 1);
            fs.Create(MdtCredentials.Root, new CreateArgs
            {
                Parent = MdtFileSystem.Root,
                Name = Encoding.ASCII.GetBytes(name),
                Fid = fid,
                Mode = 0x41ED,
                Time = 1_700_000_000,
            });
            return (fid, fs.AllocateSequence());
        }
    }

    private static void Report(string what, int count, Mark start)
    {
        var (elapsed, processor) = start.Elapsed();
        Console.WriteLine($"{what,-60} {elapsed.TotalMicroseconds / count,8:F2} us  {processor.TotalMicroseconds / count,8:F2} us CPU"
            + $"  {count / elapsed.TotalSeconds,10:F0} /s");
    }

    /// <summary>Wall clock and processor time of this process; the latter stays meaningful on a busy machine.</summary>
    private readonly record struct Mark(long Time, TimeSpan Processor)
    {
        public static Mark Now() => new(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

        public (TimeSpan Elapsed, TimeSpan Processor) Elapsed() =>
            (Stopwatch.GetElapsedTime(Time), Environment.CpuUsage.TotalTime - Processor);
    }
}
