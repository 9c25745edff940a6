using Nacre.Client.Osc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Osc;

/// <summary>A full OST: what was promised is kept, what was not is refused to whoever asks, and it goes on when there is space again.</summary>
public sealed class NoSpaceTests : IAsyncLifetime
{
    private const long MiB = 1 << 20;
    private DataWorld _world = null!;

    public async Task InitializeAsync() => _world = await DataWorld.StartAsync(osts: 1, capacityGib: 1);

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task TheWriterIsToldAndGoesOnWhenThereIsSpace()
    {
        var mount = await _world.MountAsync(new DataOptions { DirtyBytesPerTarget = 4 * MiB });
        var file = mount.Use(_world, await _world.CreateAsync("f", DataWorld.Striped(1, 1 << 20)));
        var ballast = mount.Use(_world, await _world.CreateAsync("ballast", DataWorld.Striped(1, 1 << 20)));
        await FillAsync(ballast);

        var told = 0;
        for (var at = 0L; at < 256 * MiB && told == 0; at += MiB)
        {
            told = (await file.Data.WriteAsync(file.Open, at, new byte[MiB], default, default)).Errno;
        }

        Assert.Equal(Errno.ENOSPC, told);
        // What was taken before was promised, and is there.
        Assert.True((await file.Data.SyncAsync(file.Open, default)).IsOk);
        Assert.True((await ballast.Data.TruncateAsync(0, 1, 1, default)).IsOk);
        await file.WriteAsync(0, WriteBackTests.Data(3 << 20));
        Assert.True((await file.Data.SyncAsync(file.Open, default)).IsOk);
        Assert.Equal(WriteBackTests.Data(3 << 20), await file.ReadAsync(0, 3 << 20));
    }

    /// <summary>Reserves space until there is almost none.</summary>
    private static async Task FillAsync(TestFile ballast)
    {
        var end = 0L;
        for (var step = 256 * MiB; step >= 16 * MiB;)
        {
            var allocated = await ballast.Data.AllocateAsync(0, end, step, default);
            Assert.True(allocated.Errno is 0 or Errno.ENOSPC, $"errno {allocated.Errno}");
            (end, step) = allocated.IsOk ? (end + step, step) : (end, step / 2);
        }
    }
}
