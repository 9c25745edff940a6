using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Osc;

/// <summary>Dirty data: bounds, synchronous writes, errors that come late, evictions.</summary>
public sealed class WriteBackTests : IAsyncLifetime
{
    private DataWorld _world = null!;

    public async Task InitializeAsync() => _world = await DataWorld.StartAsync(osts: 2);

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task DirtyDataStaysWithinItsBound()
    {
        var options = new DataOptions { DirtyBytesPerTarget = 3 << 20 };
        var mount = await _world.MountAsync(options);
        var created = await _world.CreateAsync("f", DataWorld.Striped(2, 65536));
        var file = mount.Use(_world, created);
        var data = Data(64 << 20);
        for (var at = 0; at < data.Length; at += 1 << 20)
        {
            await file.WriteAsync(at, data.AsMemory(at, 1 << 20));
            Assert.All([0, 1], index => Assert.InRange(mount.Data.FindTarget(index)!.DirtyBytes, 0, options.DirtyBytesPerTarget));
        }

        Assert.True((await file.Data.SyncAsync(file.Open, default)).IsOk);
        AssertSame(data, await _world.Names.ReadAsync(created, 0, data.Length));
    }

    [Fact]
    public async Task MoreThanTheCacheHoldsIsWrittenAndReadBack()
    {
        var mount = await _world.MountAsync(new DataOptions { CacheBytes = 6 << 20, DirtyBytesPerTarget = 32 << 20 });
        var file = mount.Use(_world, await _world.CreateAsync("f", DataWorld.Striped(2, 1 << 20)));
        var data = Data(40 << 20);
        await file.WriteAsync(0, data);
        var read = await file.ReadAsync(0, 1 << 20);
        AssertSame(data.AsMemory(0, 1 << 20), read);
        for (var at = 0; at < data.Length; at += 1 << 20)
        {
            AssertSame(data.AsMemory(at, 1 << 20), await file.ReadAsync(at, 1 << 20));
        }

        // Operations under way may exceed the limit, what stays afterwards may not.
        Assert.InRange(mount.Data.Cache.Used, 0, 6 << 20);
    }

    [Fact]
    public async Task ASynchronousWriteIsAtTheServerWhenItReturns()
    {
        var mount = await _world.MountAsync(new DataOptions { WriteBackDelay = TimeSpan.FromHours(1) });
        var file = mount.Use(_world, await _world.CreateAsync("f", DataWorld.Striped(1, 1 << 20)));
        await file.WriteAsync(100, Data(5000), WriteOptions.Sync);
        Assert.All([0, 1], index => Assert.Equal(0, mount.Data.FindTarget(index)!.DirtyBytes));
    }

    [Fact]
    public async Task DirectReadsAndWritesSeeTheCachesOfBothSides()
    {
        var created = await _world.CreateAsync("f", DataWorld.Striped(2, 65536));
        var cached = (await _world.MountAsync()).Use(_world, created);
        var direct = (await _world.MountAsync()).Use(_world, created);
        var data = Data(300_000);
        await cached.WriteAsync(0, data);
        using (var read = (await direct.Data.ReadAsync(direct.Open, 0, data.Length + 5, direct: true, default).AsTask().WithinBoundsAsync()).Value)
        {
            AssertSame(data, TestFile.Bytes(read));
        }

        var change = Data(8192, seed: 9);
        await direct.WriteAsync(65536 - 4096, change, WriteOptions.Direct);
        change.CopyTo(data, 65536 - 4096);
        AssertSame(data, await cached.ReadAsync(0, data.Length));
    }

    [Fact]
    public async Task AnEvictionLosesDirtyDataAndTellsEachOpenFileOnce()
    {
        var created = await _world.CreateAsync("f", DataWorld.Striped(1, 1 << 20));
        var mount = await _world.MountAsync(new DataOptions { WriteBackDelay = TimeSpan.FromHours(1) });
        var file = mount.Use(_world, created);
        await file.WriteAsync(0, Data(10_000));
        Assert.True((await file.Data.SyncAsync(file.Open, default)).IsOk);
        var second = file.Data.Open(mayBeMappedWritable: false, out _);
        await file.WriteAsync(0, Data(10_000, seed: 2));

        await _world.Server.RestartAsync();
        await SettleAsync(mount);

        Assert.Equal(Errno.EIO, (await file.Data.SyncAsync(file.Open, default)).Errno);
        Assert.True((await file.Data.SyncAsync(file.Open, default)).IsOk);
        Assert.Equal(Errno.EIO, file.Data.TakeErrors(second));
        Assert.Equal(0, file.Data.TakeErrors(second));
        AssertSame(Data(10_000), await file.ReadAsync(0, 10_000));

        await file.WriteAsync(0, Data(10_000, seed: 3));
        Assert.True((await file.Data.SyncAsync(file.Open, default)).IsOk);
    }

    [Fact]
    public async Task WhatTheKernelHasDirtyComesBackBeforeTheLockGoes()
    {
        var created = await _world.CreateAsync("f", DataWorld.Striped(1, 1 << 20));
        var mount = await _world.MountAsync();
        var file = mount.Use(_world, created);
        await file.WriteAsync(0, new byte[8192]);
        var page = Data(4096, seed: 4);
        var kernel = new DirtyKernel(file, page);
        mount.Kernel = kernel;
        var other = (await _world.MountAsync()).Use(_world, created);
        var read = await other.ReadAsync(0, 8192);
        AssertSame(page, read[4096..]);
        Assert.True(kernel.AttributesDropped);
    }

    /// <summary>Another client waits for the lock, and a reader keeps it: what a mapping has changed under it waits for neither.</summary>
    [Fact]
    public async Task WhatTheKernelHasDirtyIsWrittenUnderALockThatIsCalledBackAndInUse()
    {
        var created = await _world.CreateAsync("f", DataWorld.Striped(1, 1 << 20));
        var file = (await _world.MountAsync()).Use(_world, created);
        await file.WriteAsync(0, new byte[8192]);
        var pinned = (await file.Data.ReadAsync(file.Open, 0, 4096, direct: false, default)).Value;
        var other = (await _world.MountAsync()).Use(_world, created);
        var writing = other.WriteAsync(0, Data(4096));
        await Wait.UntilAsync(() => ValueTask.FromResult(!file.Data.TryGetKnownAttributes(out _)), "the lock is called back");
        var page = Data(4096, seed: 5);
        await file.WriteAsync(4096, page, WriteOptions.FromPageCache);
        Assert.False(writing.IsCompleted);
        pinned.Dispose();
        await writing;
        var read = await other.ReadAsync(0, 8192);
        AssertSame(Data(4096), read[..4096]);
        AssertSame(page, read[4096..]);
    }

    [Fact]
    public async Task WhatTheKernelHasDirtyIsWrittenWithoutAskingForALayoutThatWasLost()
    {
        var file = (await _world.MountAsync()).Use(_world, await _world.CreateAsync("f", DataWorld.Striped(2, 65536)));
        await file.WriteAsync(0, new byte[131072]);
        await file.Data.LoseLayoutAsync();
        var asked = file.LayoutsAsked;
        var pages = Data(131072, seed: 6);
        await file.WriteAsync(0, pages, WriteOptions.FromPageCache);
        Assert.Equal(asked, file.LayoutsAsked);
        AssertSame(pages, await file.ReadAsync(0, 131072));
    }

    internal static byte[] Data(int length, int seed = 1)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    private static void AssertSame(ReadOnlyMemory<byte> expected, byte[] read)
    {
        Assert.Equal(expected.Length, read.Length);
        var common = expected.Span.CommonPrefixLength(read);
        Assert.True(common == read.Length, $"byte {common} differs");
    }

    /// <summary>Waits until every import works again: the first ping after a restart finds the client evicted.</summary>
    private static async Task SettleAsync(DataMount mount)
    {
        for (var index = 0; index < 2; index++)
        {
            var import = mount.Data.FindTarget(index)!.Import;
            await Wait.UntilAsync(async () => await AnswersAsync(import), $"{import} answers");
        }
    }

    private static async ValueTask<bool> AnswersAsync(Import import)
    {
        try
        {
            await import.PingAsync();
            return true;
        }
        catch (ErrnoException)
        {
            return false;
        }
    }

    /// <summary>A kernel with one page written through a mapping.</summary>
    private sealed class DirtyKernel(TestFile file, byte[] page) : IKernelCache
    {
        private int _given;

        public bool AttributesDropped { get; private set; }

        public ValueTask DropAttributesAsync(Node node)
        {
            AttributesDropped = true;
            return ValueTask.CompletedTask;
        }

        public async ValueTask DropDataAsync(Node node, long offset, long length)
        {
            if (Interlocked.Exchange(ref _given, 1) == 0)
            {
                await file.WriteAsync(4096, page, WriteOptions.FromPageCache);
            }
        }

        public ValueTask DropNameAsync(Node directory, ReadOnlyMemory<byte> name) => ValueTask.CompletedTask;
    }
}
