using System.Text;
using Nacre.Client.Tests.Harness;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

/// <summary>The file system as programs use it.</summary>
public sealed class PathTests
{
    [Fact]
    public async Task Files_are_written_read_listed_moved_and_removed()
    {
        await using var world = await ClientWorld.StartAsync();
        await using var files = await LustreFileSystem.MountAsync(world.NewOptions());

        await files.MakeDirectoryAsync("/a");
        await files.WriteAllBytesAsync("/a/hello", "hello"u8.ToArray());
        await files.RenameAsync("/a/hello", "/a/world");

        Assert.Equal("hello", Encoding.UTF8.GetString(await files.ReadAllBytesAsync("/a/world")));
        var items = new List<DirectoryItem>();
        await foreach (var item in files.ListAsync("/a"))
        {
            items.Add(item);
        }

        Assert.Equal(("world", 5L), (Assert.Single(items).Name, items[0].Attributes!.Value.Size));
        await files.UnlinkAsync("/a/world");
        await files.RemoveDirectoryAsync("/a");
        Assert.False(await files.ExistsAsync("/a"));
    }

    [Fact]
    public async Task Failures_name_the_path()
    {
        await using var world = await ClientWorld.StartAsync();
        await using var files = await LustreFileSystem.MountAsync(world.NewOptions());

        var failure = await Assert.ThrowsAsync<ErrnoException>(() => files.OpenReadAsync("/no/such/file"));

        Assert.Equal((Errno.ENOENT, "stat /no/such/file: ENOENT"), (failure.Errno, failure.Message));
    }

    [Fact]
    public async Task Links_are_followed_relative_absolute_and_not_for_ever()
    {
        await using var world = await ClientWorld.StartAsync();
        await using var files = await LustreFileSystem.MountAsync(world.NewOptions());
        await files.MakeDirectoryAsync("/a");
        await files.MakeDirectoryAsync("/a/b");
        await files.WriteAllBytesAsync("/a/f", new byte[3]);
        await files.MakeSymlinkAsync("/a/b/up", "../f");
        await files.MakeSymlinkAsync("/absolute", "/a/b/up");
        await files.MakeSymlinkAsync("/round", "round");

        Assert.Equal(3, (await files.StatAsync("/a/b/up")).Size);
        Assert.Equal(3, (await files.StatAsync("/absolute")).Size);
        Assert.Equal("/a/b/up", await files.ReadLinkAsync("/absolute"));
        Assert.Equal(7, (await files.StatAsync("/absolute", followLink: false)).Size);
        Assert.Equal(Errno.ELOOP, (await Assert.ThrowsAsync<ErrnoException>(() => files.StatAsync("/round"))).Errno);
    }

    [Fact]
    public async Task A_stream_reads_what_another_wrote()
    {
        await using var world = await ClientWorld.StartAsync();
        await using var files = await LustreFileSystem.MountAsync(world.NewOptions());
        await using (var file = await files.CreateAsync("/f"))
        await using (var writer = new StreamWriter(file.AsStream(), leaveOpen: true))
        {
            for (var i = 0; i < 1000; i++)
            {
                await writer.WriteLineAsync($"line {i}");
            }
        }

        await using var again = await files.OpenReadAsync("/f");
        using var reader = new StreamReader(again.AsStream());
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal($"line {i}", await reader.ReadLineAsync());
        }

        Assert.Null(await reader.ReadLineAsync());
    }

    [Fact]
    public async Task Lines_appended_by_two_clients_are_all_there()
    {
        await using var world = await ClientWorld.StartAsync();
        await using var one = await LustreFileSystem.MountAsync(world.NewOptions());
        await using var two = await LustreFileSystem.MountAsync(world.NewOptions());
        await using var here = await one.CreateAsync("/log");
        await using var there = await two.OpenAsync("/log", 2);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(i * 8, await (i % 2 == 0 ? here : there).AppendAsync(new byte[8]));
        }

        Assert.Equal(160, (await here.StatAsync()).Size);
    }
}
