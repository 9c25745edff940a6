using System.Globalization;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage;
using Xunit.Abstractions;

namespace Nacre.Server.Tests.Mdt;

/// <summary>A process that changes metadata is killed with -9 again and again: what it had acknowledged is there, nothing is half
/// done, no number comes back.</summary>
public sealed class MetadataKillTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Acknowledged_operations_survive_kill_9()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string folder = Directory.CreateTempSubdirectory("nacre-mdt-").FullName;
        var expected = new Dictionary<string, bool>();
        var numbers = new HashSet<string>();
        try
        {
            for (int round = 0; round < 6; round++)
            {
                await RunAndKillAsync(folder, round, random.Next(100, 1500), expected, numbers);
                using var mdt = new MdtFixture(MetadataWriter.Options, folder: folder);
                var paths = TreeCheck.Check(mdt);
                foreach (var (path, exists) in expected)
                {
                    Assert.True(paths.ContainsKey(path) == exists, $"{path} should be {(exists ? "there" : "gone")}, round {round}");
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Lines the writer prints: "+ path" and "- path" when a commit was acknowledged, "? path" before an operation on it
    /// starts, "# number" for a number that was given.</summary>
    private static async Task RunAndKillAsync(
        string folder, int round, int lines, Dictionary<string, bool> expected, HashSet<string> numbers)
    {
        using var child = ChildPrograms.Start(nameof(MetadataWriter), folder, round.ToString(CultureInfo.InvariantCulture));
        for (int i = 0; await child.StandardOutput.ReadLineAsync() is { } line; i++)
        {
            switch (line[0])
            {
                case '+': expected[line[2..]] = true; break;
                case '-': expected[line[2..]] = false; break;
                case '?': expected.Remove(line[2..]); break;
                default: Assert.True(numbers.Add(line), $"{line} was given twice"); break;
            }
            if (i == lines)
            {
                child.Kill();
            }
        }
        await child.WaitForExitAsync();
    }
}

/// <summary>The process that is killed: four workers create, rename and remove files, each operation acknowledged on standard
/// output after its commit.</summary>
internal static class MetadataWriter
{
    public static readonly MetadataStoreOptions Options = new() { CheckpointBytes = 1 << 20, ObjectBatch = 64, SequenceBatch = 4 };

    public static async Task RunAsync(string[] args)
    {
        using var mdt = new MdtFixture(Options, folder: args[0]);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() => WorkAsync(mdt, $"r{args[1]}w{worker}"))));
    }

    private static async Task WorkAsync(MdtFixture mdt, string worker)
    {
        var made = Make(mdt, MdtFileSystem.Root, worker, ModeBits.Directory | 0x1ED);
        await mdt.Store.WhenCommitted(made.Transaction);
        var directory = made.Object.Fid;
        Say($"+ {worker}");
        for (int i = 0; ; i++)
        {
            string path = $"{worker}/{i}";
            Say($"? {path}");
            await mdt.Store.WhenCommitted(Make(mdt, directory, $"{i}", ModeBits.Regular).Transaction);
            Say($"+ {path}");
            if (i % 3 == 1)
            {
                await RenameAsync(mdt, directory, worker, i);
            }
            else if (i % 3 == 2)
            {
                await UnlinkAsync(mdt, directory, worker, i - 2);
            }
        }
    }

    private static MdtResult Make(MdtFixture mdt, LuFid parent, string name, uint mode)
    {
        lock (mdt.Store.Gate)
        {
            var fid = new LuFid(mdt.Fs.AllocateSequence(), 1);
            var data = mdt.Fs.AllocateObject(0);
            Say($"# {fid}");
            Say($"# {data}");
            return mdt.Fs.Create(MdtCredentials.Root, new CreateArgs
            {
                Parent = parent,
                Name = MdtFixture.Bytes(name),
                Fid = fid,
                Mode = mode,
                Time = 1,
                Layout = (mode & ModeBits.Regular) != 0 ? "layout"u8 : default,
            });
        }
    }

    private static async Task RenameAsync(MdtFixture mdt, LuFid directory, string worker, int i)
    {
        Say($"? {worker}/{i}");
        Say($"? {worker}/{i}new");
        ulong transaction;
        lock (mdt.Store.Gate)
        {
            transaction = mdt.Fs.Rename(MdtCredentials.Root, new RenameArgs
            {
                SourceParent = directory,
                SourceName = MdtFixture.Bytes($"{i}"),
                TargetParent = directory,
                TargetName = MdtFixture.Bytes($"{i}new"),
                Time = 2,
            }).Transaction;
        }
        await mdt.Store.WhenCommitted(transaction);
        Say($"- {worker}/{i}");
        Say($"+ {worker}/{i}new");
    }

    private static async Task UnlinkAsync(MdtFixture mdt, LuFid directory, string worker, int i)
    {
        Say($"? {worker}/{i}");
        ulong transaction;
        lock (mdt.Store.Gate)
        {
            transaction = mdt.Fs.Unlink(MdtCredentials.Root, new UnlinkArgs
            { Parent = directory, Name = MdtFixture.Bytes($"{i}"), Time = 3 }).Transaction;
        }
        await mdt.Store.WhenCommitted(transaction);
        Say($"- {worker}/{i}");
    }

    private static void Say(string line)
    {
        lock (Console.Out)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }
}
