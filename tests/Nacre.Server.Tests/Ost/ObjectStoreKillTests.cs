using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

public class ObjectStoreKillTests
{
    [Fact]
    public async Task What_was_confirmed_is_there_after_kill_9()
    {
        using var folder = new ScratchFolder();
        int seed = Environment.TickCount;
        var state = new State();
        using (var writer = ChildPrograms.Start(nameof(ObjectWriter), folder.Path, seed.ToString(CultureInfo.InvariantCulture)))
        {
            int wanted = 500 + seed % 1000;
            for (int lines = 0; await writer.StandardOutput.ReadLineAsync() is { } line; lines++)
            {
                state.Take(line);
                if (lines == wanted) writer.Kill();
            }
            await writer.WaitForExitAsync();
            Assert.True(state.Confirmed > wanted / 3, "the writer ended early");
        }

        await using var store = ObjectStore.Open(folder.Path, new ObjectStoreOptions { CapacityBytes = 1L << 30 },
            TimeProvider.System, NullLogger<ObjectStore>.Instance);
        string where = $"seed {seed}";
        foreach (var ((oid, block), version) in state.Blocks)
        {
            if ((oid, block) == state.InDoubtBlock || oid == state.InDoubtObject) continue;
            using var stored = store.Open(Stores.FidOf(oid));
            Assert.True(stored.ReadAll((long)block * ObjectWriter.BlockBytes, ObjectWriter.BlockBytes)
                .AsSpan().SequenceEqual(ObjectWriter.Content(version)), where);
            if (oid != state.InDoubtBlock?.Oid)
                Assert.True(stored.Attributes.DataVersion == (ulong)state.Newest[oid] && stored.Attributes.MTime == state.Newest[oid], where);
        }
        var there = new LinuxObjectFiles(folder.Path).List().Select(key => key.Oid).ToHashSet();
        Assert.Empty(there.Intersect(state.Destroyed));
        Assert.Equal(there.Count, store.Space().Objects);
    }

    private sealed class State
    {
        public Dictionary<(uint Oid, int Block), int> Blocks { get; } = [];
        public Dictionary<uint, int> Newest { get; } = [];
        public HashSet<uint> Destroyed { get; } = [];
        public (uint Oid, int Block)? InDoubtBlock;
        public uint? InDoubtObject;
        public int Confirmed;

        public void Take(string line)
        {
            string[] words = line.Split(' ');
            uint oid = uint.Parse(words[1], CultureInfo.InvariantCulture);
            switch (words[0])
            {
                case "writing":
                    InDoubtBlock = (oid, Number(words[2]));
                    break;
                case "destroying":
                    InDoubtObject = oid;
                    break;
                case "written":
                    InDoubtBlock = null;
                    Confirmed++;
                    Blocks[(oid, Number(words[2]))] = Number(words[3]);
                    Newest[oid] = Number(words[3]);
                    break;
                default:
                    InDoubtObject = null;
                    Confirmed++;
                    Destroyed.Add(oid);
                    foreach (var key in Blocks.Keys.Where(key => key.Oid == oid).ToList()) Blocks.Remove(key);
                    break;
            }
        }

        private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
    }
}
