using Nacre.Client.Tests.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

public sealed class NameTests
{
    [Fact]
    public async Task A_directory_that_was_made_is_found()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();

        var made = await client.MkdirAsync(client.Root, "d", 0x1fd);
        var found = await client.LookupAsync(client.Root, "d");

        Assert.Same(made, found.Node);
        Assert.Equal(0x41edu, found.Attributes.Mode);
        Assert.Equal(2u, found.Attributes.LinkCount);
        Assert.True(found.NameMayBeCached);
        Assert.True(found.AttributesMayBeCached);
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();

        Assert.Equal(Errno.ENOENT, await client.LookupErrnoAsync(client.Root, "none"));
    }

    [Fact]
    public async Task Absence_may_be_cached_while_the_directory_is_locked()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        await client.StatAsync(client.Root);

        var absent = await client.LookupAsync(client.Root, "none");

        Assert.Null(absent.Node);
        Assert.True(absent.NameMayBeCached);
    }

    [Fact]
    public async Task An_unlinked_name_is_gone()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        await client.TouchAsync(client.Root, "f");

        Assert.Equal(0, await client.UnlinkAsync(client.Root, "f"));

        Assert.Equal(Errno.ENOENT, await client.LookupErrnoAsync(client.Root, "f"));
        Assert.Equal(Errno.ENOENT, await client.UnlinkAsync(client.Root, "f"));
    }

    [Fact]
    public async Task Only_empty_directories_go()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var directory = await client.MkdirAsync(client.Root, "d");
        await client.TouchAsync(directory, "f");

        Assert.Equal(Errno.ENOTEMPTY, await client.RmdirAsync(client.Root, "d"));
        Assert.Equal(0, await client.UnlinkAsync(directory, "f"));
        Assert.Equal(0, await client.RmdirAsync(client.Root, "d"));
        Assert.Empty(await client.ListAsync(client.Root));
    }

    [Fact]
    public async Task A_file_moves_over_another()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var moved = await client.TouchAsync(client.Root, "a");
        await client.TouchAsync(client.Root, "b");
        var directory = await client.MkdirAsync(client.Root, "d");

        Assert.Equal(0, await client.RenameAsync(client.Root, "a", client.Root, "b"));
        Assert.Equal(0, await client.RenameAsync(client.Root, "b", directory, "c"));

        Assert.Same(moved, (await client.LookupAsync(directory, "c")).Node);
        Assert.Equal(["d"], await client.ListAsync(client.Root));
        Assert.Equal(Errno.ENOENT, await client.RenameAsync(client.Root, "a", client.Root, "x"));
    }

    [Fact]
    public async Task Rename_without_replacing_spares_what_is_there()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        await client.TouchAsync(client.Root, "a");
        await client.TouchAsync(client.Root, "b");

        Assert.Equal(Errno.EEXIST, await client.RenameAsync(client.Root, "a", client.Root, "b", flags: 1));
        Assert.Equal(0, await client.RenameAsync(client.Root, "a", client.Root, "c", flags: 1));
        Assert.Equal(Errno.EINVAL, await client.RenameAsync(client.Root, "b", client.Root, "c", flags: 2));
    }

    [Fact]
    public async Task A_link_is_another_name_of_the_same_file()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.TouchAsync(client.Root, "a");

        var linked = (await client.Vfs.LinkAsync(file, client.Root, Mounted.Bytes("b"), client.Who, CancellationToken.None)).Value;

        Assert.Same(file, linked.Node);
        Assert.Equal(2u, linked.Attributes.LinkCount);
        Assert.Equal(0, await client.UnlinkAsync(client.Root, "a"));
        Assert.Equal(1u, (await client.LookupAsync(client.Root, "b")).Attributes.LinkCount);
    }

    [Fact]
    public async Task A_symlink_tells_its_target()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();

        var link = (await client.Vfs.MakeSymlinkAsync(
            client.Root, Mounted.Bytes("l"), Mounted.Bytes("some/where"), client.Who, CancellationToken.None)).Value;

        var target = (await client.Vfs.ReadLinkAsync(link.Node!, client.Who, CancellationToken.None)).Value;
        Assert.Equal("some/where"u8, target.Span);
        Assert.Equal(10, link.Attributes.Size);
    }

    [Fact]
    public async Task Devices_keep_their_numbers()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();

        await client.Vfs.MakeNodeAsync(client.Root, Mounted.Bytes("null"), 0x21b6, 0, 0x103, client.Who, CancellationToken.None);

        var found = await client.LookupAsync(client.Root, "null");
        Assert.Equal(0x21b6u, found.Attributes.Mode);
        Assert.Equal(0x103UL, found.Attributes.Device);
    }

    [Fact]
    public async Task Names_have_255_bytes_at_most()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var longest = new string('n', 255);

        await client.MkdirAsync(client.Root, longest);

        Assert.Equal([longest], await client.ListAsync(client.Root));
        Assert.Equal(Errno.ENAMETOOLONG, await client.LookupErrnoAsync(client.Root, longest + "n"));
    }

    [Fact]
    public async Task The_parent_is_found_from_inside()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var outer = await client.MkdirAsync(client.Root, "a");
        var inner = await client.MkdirAsync(outer, "b");

        var parent = (await client.Vfs.LookupParentAsync(inner, client.Who, CancellationToken.None)).Value;

        Assert.Same(outer, parent.Node);
    }
}
