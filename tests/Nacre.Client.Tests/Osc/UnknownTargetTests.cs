using Nacre.Client.Osc;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Osc;

/// <summary>Layouts that name an OST which the mount does not know.</summary>
public sealed class UnknownTargetTests
{
    private static readonly byte[] Data = [.. Enumerable.Range(0, 200_000).Select(number => (byte)number)];

    [Fact]
    public async Task One_that_the_configuration_names_later_is_waited_for()
    {
        await using var world = await DataWorld.StartAsync(osts: 2);
        var mount = await world.MountAsync(osts: 1);
        var file = await world.CreateAsync("file", DataWorld.Striped(2, 65536));
        var used = mount.Use(world, file);

        var writing = used.WriteAsync(0, Data);
        await mount.AddAsync(1);

        Assert.Equal(Data.Length, await writing);
        Assert.Equal(Data, await used.ReadAsync(0, Data.Length));
    }

    [Fact]
    public async Task One_that_never_comes_is_an_error()
    {
        await using var world = await DataWorld.StartAsync(osts: 2);
        var mount = await world.MountAsync(new DataOptions { TargetPatience = TimeSpan.FromMilliseconds(50) }, osts: 1);
        var used = mount.Use(world, await world.CreateAsync("file", DataWorld.Striped(2, 65536)));

        var refused = await Assert.ThrowsAnyAsync<ErrnoException>(() => used.WriteAsync(0, Data));

        Assert.Equal(Errno.ENODEV, refused.Errno);
        await Assert.ThrowsAnyAsync<ErrnoException>(() => used.WriteAsync(0, Data));
    }
}
