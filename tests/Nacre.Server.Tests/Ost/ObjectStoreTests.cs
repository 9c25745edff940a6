using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

public sealed class LinuxObjectStoreTests : ObjectStoreTests, IDisposable
{
    private readonly ScratchFolder _folder = new();

    internal override IObjectFiles OpenFiles() => new LinuxObjectFiles(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_small_object_costs_no_block_for_its_attributes()
    {
        await using var store = Stores.Over(OpenFiles());
        using var stored = store.Open(Stores.Fid);
        stored.Commit(new ObjectChange { Uid = 5, Parent = new ObjectParent { File = LuFid.Root, ComponentEnd = ulong.MaxValue } });
        Assert.Equal(0, stored.Attributes.Blocks);
    }

    [Fact]
    public async Task A_store_that_cannot_save_its_usage_closes_and_counts_again()
    {
        var store = Stores.Over(OpenFiles());
        using (var stored = store.Open(Stores.Fid)) stored.WriteAll(0, new byte[8192]);
        // Nothing can be written where a folder is: stands for a full disk.
        Directory.CreateDirectory(Path.Combine(_folder.Path, "usage.new"));
        await store.DisposeAsync();

        await using var again = Stores.Over(OpenFiles());
        Assert.Equal(1, again.Space().Objects);
        Directory.Delete(Path.Combine(_folder.Path, "usage.new"));
    }

    [Fact]
    public async Task Objects_reach_to_16_TiB()
    {
        await using var store = Stores.Over(OpenFiles());
        Assert.True(store.MaxObjectBytes >= (1L << 44) - 4096, $"{store.MaxObjectBytes}");
        using var stored = store.Open(Stores.Fid);
        long end = Math.Min(store.MaxObjectBytes, 1L << 50);
        stored.WriteAll(end - 3, [1, 2, 3]);
        Assert.Equal(end, stored.Attributes.Size);
        Assert.Equal([1, 2, 3], stored.ReadAll(end - 3, 10));
        Assert.Equal(end - 3 & -4096, stored.Seek(0, hole: false));
    }

    [Fact]
    public async Task A_map_shows_what_is_allocated()
    {
        await using var store = Stores.Over(OpenFiles());
        using var stored = store.Open(Stores.Fid);
        stored.WriteAll(1 << 20, new byte[8192]);
        await stored.SyncAsync(false, default);
        var extents = new FiemapExtent[4];
        Assert.Equal(1, stored.Map(0, ulong.MaxValue, 0, extents));
        Assert.Equal(1u << 20, extents[0].Logical);
        Assert.Equal(8192u, extents[0].Length);
        Assert.NotEqual(0u, extents[0].Flags & FiemapExtent.FlagLast);
        Assert.Equal(8192, stored.AllocatedBytes(0, 1 << 30));
        Assert.Equal(100, stored.AllocatedBytes((1 << 20) + 5, (1 << 20) + 105));
    }
}

public sealed class MemoryObjectStoreTests : ObjectStoreTests
{
    private readonly MemoryObjectFiles _files = new(1L << 32);

    internal override IObjectFiles OpenFiles() => _files;
}

/// <summary>What every store does.</summary>
public abstract class ObjectStoreTests
{
    internal abstract IObjectFiles OpenFiles();

    [Fact]
    public async Task An_object_never_written_is_an_empty_one()
    {
        await using var store = Stores.Over(OpenFiles());
        using (var stored = store.Open(Stores.Fid))
        {
            Assert.Equal(default, stored.Attributes);
            Assert.Empty(stored.ReadAll(0, 10));
            Assert.Equal(-1, stored.Seek(0, hole: false));
            Assert.Equal(5, stored.Seek(5, hole: true));
            Assert.Equal(0, stored.Map(0, 100, 0, []));
            stored.Truncate(0, default);
            stored.PunchHole(0, 100, default);
            await stored.SyncAsync(true, default);
        }
        Assert.Equal(0, store.Space().Objects);
    }

    [Fact]
    public async Task Attributes_survive_a_restart()
    {
        var parent = new ObjectParent
        {
            File = new LuFid(0x2_0000_0401, 9),
            StripeIndex = 3,
            StripeSize = 1 << 20,
            StripeCount = 4,
            ComponentId = 2,
            ComponentStart = 64 << 20,
            ComponentEnd = ulong.MaxValue,
        };
        var change = new ObjectChange
        {
            MTime = 11,
            ATime = 12,
            CTime = 13,
            Uid = 1,
            Gid = 2,
            ProjectId = 3,
            OnlyPristineOwners = true,
            DataVersion = 0x1_0000_0005,
            Parent = parent,
        };
        ObjectAttributes before;
        uint epoch;
        await using (var store = Stores.Over(OpenFiles()))
        {
            using var stored = store.Open(Stores.Fid);
            stored.WriteAll(4096, new byte[10], change);
            stored.Commit(new ObjectChange { Uid = 77, Gid = 77, OnlyPristineOwners = true, DataVersion = 4 });
            before = stored.Attributes;
            epoch = store.Epoch;
        }
        await using (var store = Stores.Over(OpenFiles()))
        {
            using var stored = store.Open(Stores.Fid);
            var after = stored.Attributes;
            Assert.Equal(before, after);
            Assert.Equal((4106, 11, 12, 13), (after.Size, after.MTime, after.ATime, after.CTime));
            Assert.Equal((1u, 2u, 3u), (after.Uid, after.Gid, after.ProjectId));
            Assert.Equal(0x1_0000_0005ul, after.DataVersion);
            Assert.Equal(parent, after.Parent);
            Assert.Equal(epoch + 1, store.Epoch);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Usage_is_the_same_after_a_restart(bool orderly)
    {
        ObjectStoreSpace before;
        OwnerUsage user;
        var first = Stores.Over(OpenFiles());
        for (uint oid = 1; oid <= 50; oid++)
        {
            using var stored = first.Open(Stores.FidOf(oid));
            stored.WriteAll(0, new byte[oid * 1000], new ObjectChange { Uid = oid % 3 });
        }
        await first.SyncAsync(default);
        await first.DestroyAsync(Stores.FidOf(4), default);
        before = first.Space();
        user = first.Usage(OwnerKind.User, 1);
        if (orderly) await first.DisposeAsync();

        await using var second = Stores.Over(OpenFiles());
        Assert.Equal(49, second.Space().Objects);
        Assert.Equal(before.Used, second.Space().Used);
        Assert.Equal(user, second.Usage(OwnerKind.User, 1));
        Assert.Equal(16, user.Objects);
    }

    [Fact]
    public async Task Usage_follows_owner_and_blocks()
    {
        await using var store = Stores.Over(OpenFiles());
        using (var stored = store.Open(Stores.Fid))
        {
            stored.WriteAll(0, new byte[65536], new ObjectChange { Uid = 1, ProjectId = 9 });
            long used = store.Space().Used;
            Assert.InRange(used, 65536, 2 * 65536);
            Assert.Equal(new OwnerUsage(used, 1), store.Usage(OwnerKind.User, 1));
            stored.Commit(new ObjectChange { Uid = 2 });
            Assert.Equal(default, store.Usage(OwnerKind.User, 1));
            Assert.Equal(new OwnerUsage(used, 1), store.Usage(OwnerKind.User, 2));
            Assert.Equal(new OwnerUsage(used, 1), store.Usage(OwnerKind.Project, 9));
            stored.Truncate(0, default);
            Assert.Equal(0, store.Space().Used);
        }
        await store.DestroyAsync(Stores.Fid, default);
        Assert.Equal(default, store.Usage(OwnerKind.User, 2));
        Assert.Equal((0, 0), (store.Space().Used, store.Space().Objects));
    }

    [Fact]
    public async Task A_destroyed_object_does_not_come_back()
    {
        await using var store = Stores.Over(OpenFiles());
        using var early = store.Open(Stores.Fid);
        early.WriteAll(0, [1, 2, 3]);
        await store.DestroyAsync(Stores.Fid, default);
        Assert.True(store.IsDestroyed(Stores.Fid));
        Assert.Equal(Errno.ENOENT, Assert.Throws<FsException>(() => store.Open(Stores.Fid)).Errno);
        Assert.Equal(Errno.ENOENT, Assert.Throws<FsException>(() => early.Write(0, [1])).Errno);
        Assert.Equal(Errno.ENOENT, Assert.Throws<FsException>(() => early.Attributes).Errno);
        Assert.Equal(Errno.ENOENT, Assert.Throws<FsException>(() => early.Read(0, new byte[1])).Errno);
        // Repeated by an MDT that did not see the answer, and of an object that never was.
        await store.DestroyAsync(Stores.Fid, default);
        await store.DestroyAsync(Stores.FidOf(99), default);
        Assert.Equal((0, 0), (store.Space().Used, store.Space().Objects));
    }

    [Fact]
    public async Task Offsets_that_no_file_can_have_are_refused()
    {
        await using var store = Stores.Over(OpenFiles());
        using var stored = store.Open(Stores.Fid);
        Assert.Equal(Errno.EFBIG, Assert.Throws<FsException>(() => stored.Write(long.MaxValue - 1, [1, 2, 3])).Errno);
        if (store.MaxObjectBytes < long.MaxValue)
        {
            Assert.Equal(Errno.EFBIG, Assert.Throws<FsException>(() => stored.Write(store.MaxObjectBytes, [1])).Errno);
            Assert.Equal(Errno.EFBIG, Assert.Throws<FsException>(() => stored.Truncate(store.MaxObjectBytes + 1, default)).Errno);
        }
        Assert.Equal(-1, stored.Seek(long.MaxValue, hole: false));
        Assert.Equal(0, stored.Map(ulong.MaxValue, ulong.MaxValue, 0, []));
    }

    [Fact]
    public async Task More_objects_than_may_stay_open_work()
    {
        await using var store = Stores.Over(OpenFiles(), maxOpen: 4);
        for (int round = 0; round < 3; round++)
        {
            for (uint oid = 1; oid <= 100; oid++)
            {
                using var stored = store.Open(Stores.FidOf(oid));
                stored.WriteAll(round, [(byte)oid]);
            }
        }
        for (uint oid = 1; oid <= 100; oid++)
        {
            using var stored = store.Open(Stores.FidOf(oid));
            Assert.Equal([(byte)oid, (byte)oid, (byte)oid], stored.ReadAll(0, 10));
        }
        Assert.Equal(100, store.Space().Objects);
    }

    /// <summary>Random operations on a few objects, compared with plain byte arrays after each.</summary>
    [Fact]
    public async Task Random_operations_agree_with_a_model()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        const int Objects = 3, Span = 300_000;
        var models = Enumerable.Range(0, Objects).Select(_ => new Model()).ToArray();
        var files = OpenFiles();
        var store = Stores.Over(files, maxOpen: 2);
        for (int step = 0; step < 1500; step++)
        {
            if (step % 300 == 299)
            {
                await store.DisposeAsync();
                store = Stores.Over(OpenFiles(), maxOpen: 2);
            }
            int which = random.Next(Objects);
            using var stored = store.Open(Stores.FidOf((uint)which + 1));
            Apply(random, stored, models[which], Span);
            string where = $"seed {seed} step {step}";
            Compare(stored, models[which], where);
        }
        await store.DisposeAsync();
    }

    private static void Apply(Random random, IStoredObject stored, Model model, int span)
    {
        int start = random.Next(span), end = start + 1 + random.Next(random.Next(2) == 0 ? 5000 : 100_000);
        switch (random.Next(5))
        {
            case 0 or 1:
                var data = new byte[end - start];
                random.NextBytes(data);
                stored.WriteAll(start, data);
                model.Write(start, data);
                break;
            case 2:
                int size = random.Next(span);
                stored.Truncate(size, default);
                model.Resize(size);
                break;
            case 3:
                bool keep = random.Next(2) == 0;
                stored.Allocate(start, end, keep, default);
                if (!keep) model.Resize(Math.Max(model.Bytes.Length, end));
                break;
            default:
                stored.PunchHole(start, end, default);
                model.Clear(start, end);
                break;
        }
    }

    private static void Compare(IStoredObject stored, Model model, string where)
    {
        Assert.True(model.Bytes.Length == stored.Attributes.Size, where);
        Assert.True(model.Bytes.AsSpan().SequenceEqual(stored.ReadAll(0, model.Bytes.Length + 100)), where);
        // Data may be reported where there are only zeros, never a hole where there is something else.
        for (long at = 0; at < model.Bytes.Length;)
        {
            long dataAt = stored.Seek(at, hole: false);
            long skippedTo = dataAt < 0 ? model.Bytes.Length : dataAt;
            Assert.True(model.Bytes.AsSpan((int)at, (int)(skippedTo - at)).IndexOfAnyExcept((byte)0) < 0, where);
            if (dataAt < 0) break;
            at = stored.Seek(dataAt, hole: true);
            Assert.True(at > dataAt && at <= model.Bytes.Length, where);
        }
    }

    private sealed class Model
    {
        public byte[] Bytes = [];

        public void Resize(int size) => Array.Resize(ref Bytes, size);

        public void Write(int start, byte[] data)
        {
            if (start + data.Length > Bytes.Length) Resize(start + data.Length);
            data.CopyTo(Bytes, start);
        }

        public void Clear(int start, int end)
        {
            end = Math.Min(end, Bytes.Length);
            if (start < end) Bytes.AsSpan(start, end - start).Clear();
        }
    }
}
