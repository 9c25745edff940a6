using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

/// <summary>The store over a disk that fails, fills up or loses power.</summary>
public class ObjectStoreFaultTests
{
    private readonly MemoryObjectFiles _disk = new(1 << 20);

    [Fact]
    public async Task What_was_synced_survives_a_power_cut()
    {
        var store = Stores.Over(_disk);
        using (var stored = store.Open(Stores.FidOf(1)))
        {
            stored.WriteAll(0, [1, 2, 3], new ObjectChange { MTime = 5, DataVersion = 9 });
            await stored.SyncAsync(true, default);
            _disk.Fault = (call, _) => call is DiskCall.Sync or DiskCall.SyncAll ? Errno.EIO : 0; // the flusher, from here on
            stored.WriteAll(3, [4, 5, 6]);
            using var other = store.Open(Stores.FidOf(2));
            other.WriteAll(0, [7]);
        }
        _disk.DropUnflushed();
        _disk.Fault = null;

        await using var after = Stores.Over(_disk);
        using var first = after.Open(Stores.FidOf(1));
        Assert.Equal([1, 2, 3], first.ReadAll(0, 10));
        Assert.Equal((5, 9ul), (first.Attributes.MTime, first.Attributes.DataVersion));
        using var second = after.Open(Stores.FidOf(2));
        Assert.Empty(second.ReadAll(0, 10));
        Assert.Equal(1, after.Space().Objects);
    }

    [Fact]
    public async Task A_completed_removal_survives_a_power_cut_and_an_open_one_does_not_half()
    {
        var store = Stores.Over(_disk);
        foreach (uint oid in new uint[] { 1, 2 })
        {
            using var stored = store.Open(Stores.FidOf(oid));
            stored.WriteAll(0, [1]);
        }
        await store.SyncAsync(default);
        await store.DestroyAsync(Stores.FidOf(1), default);
        _disk.Fault = (call, _) => call == DiskCall.SyncNames ? Errno.EIO : 0;
        Assert.Equal(Errno.EIO, (await Assert.ThrowsAsync<FsException>(async () => await store.DestroyAsync(Stores.FidOf(2), default))).Errno);
        _disk.DropUnflushed();
        _disk.Fault = null;

        await using var after = Stores.Over(_disk);
        Assert.Equal(1, after.Space().Objects);
        await after.DestroyAsync(Stores.FidOf(2), default);
        Assert.Equal(0, after.Space().Objects);
    }

    [Fact]
    public async Task Objects_are_flushed_in_the_background()
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _disk.Fault = (call, _) =>
        {
            if (call == DiskCall.SyncNames) flushed.TrySetResult();
            return 0;
        };
        await using var store = Stores.Over(_disk);
        using (var stored = store.Open(Stores.Fid)) stored.WriteAll(0, [1]);
        await flushed.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_failed_flush_is_told_to_everybody_who_syncs()
    {
        await using var store = Stores.Over(_disk);
        using var stored = store.Open(Stores.Fid);
        _disk.Fault = (call, _) => call == DiskCall.Sync ? Errno.EIO : 0;
        stored.WriteAll(0, [1]);
        await Assert.ThrowsAsync<FsException>(async () => await stored.SyncAsync(false, default));
        _disk.Fault = null;
        stored.WriteAll(0, [2]);
        await stored.SyncAsync(false, default);
        for (int client = 0; client < 2; client++)
            Assert.Equal(Errno.EIO, (await Assert.ThrowsAsync<FsException>(async () => await stored.SyncAsync(true, default))).Errno);
    }

    [Fact]
    public async Task A_full_disk_is_ENOSPC_and_space_comes_back()
    {
        await using var store = Stores.Over(_disk, capacity: 1 << 30);
        using (var stored = store.Open(Stores.Fid))
        {
            Assert.Equal(Errno.ENOSPC, Assert.Throws<FsException>(() => stored.WriteAll(0, new byte[2 << 20])).Errno);
            Assert.Equal(store.Space().Used, 512 * stored.Attributes.Blocks);
            Assert.Equal(Errno.ENOSPC, Assert.Throws<FsException>(() => stored.Allocate(4 << 20, 5 << 20, true, default)).Errno);
        }
        await store.DestroyAsync(Stores.Fid, default);
        Assert.Equal(0, store.Space().Used);
        using var next = store.Open(Stores.FidOf(8));
        next.WriteAll(0, new byte[512 << 10]);
    }

    [Theory]
    [InlineData(DiskCall.Read)]
    [InlineData(DiskCall.Write)]
    [InlineData(DiskCall.Open)]
    [InlineData(DiskCall.Create)]
    [InlineData(DiskCall.WriteRecord)]
    [InlineData(DiskCall.Truncate)]
    [InlineData(DiskCall.Allocate)]
    [InlineData(DiskCall.Remove)]
    public async Task A_failed_call_is_an_error_and_leaves_the_store_usable(object failing)
    {
        await using var store = Stores.Over(_disk, maxOpen: 0);
        _disk.Fault = (call, _) => call == (DiskCall)failing ? Errno.EIO : 0;
        await Assert.ThrowsAsync<FsException>(async () =>
        {
            using (var stored = store.Open(Stores.Fid))
            {
                stored.WriteAll(0, [1, 2, 3]);
                stored.Read(0, new byte[3]);
                stored.Truncate(1, default);
                stored.Allocate(0, 10, true, default);
            }
            await store.DestroyAsync(Stores.Fid, default);
        });
        _disk.Fault = null;
        using (var stored = store.Open(Stores.FidOf(8)))
        {
            stored.WriteAll(0, [1, 2, 3]);
            Assert.Equal([1, 2, 3], stored.ReadAll(0, 3));
        }
        await store.DestroyAsync(Stores.Fid, default);
        await store.DestroyAsync(Stores.FidOf(8), default);
        Assert.Equal((0, 0), (store.Space().Used, store.Space().Objects));
    }

    [Fact]
    public async Task Removals_asked_for_together_share_a_flush()
    {
        await using var store = Stores.Over(_disk);
        var parked = new ManualResetEventSlim();
        int flushes = 0;
        _disk.Fault = (call, key) =>
        {
            if (call == DiskCall.Remove && key.Oid == 1) parked.Wait(TimeSpan.FromSeconds(30));
            if (call == DiskCall.SyncNames && key.Oid is 1 or 2) Interlocked.Increment(ref flushes);
            return 0;
        };
        var removals = Enumerable.Range(1, 200).Select(oid => store.DestroyAsync(Stores.FidOf((uint)oid), default).AsTask()).ToArray();
        parked.Set();
        await Task.WhenAll(removals).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(flushes <= 2, $"{flushes}");
    }

    [Fact]
    public void A_newer_format_is_refused()
    {
        _disk.WriteNote("format", "2"u8.ToArray());
        Assert.Throws<InvalidDataException>(() => Stores.Over(_disk));
    }
}
