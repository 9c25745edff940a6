using System.Text;
using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd;

/// <summary>Metadata operations through the wire, one client.</summary>
public sealed class MetadataTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private ScriptedClient _client = null!;

    private LuFid Root => _client.Root;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _client = await _server.MountAsync();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task ANameCanBeLookedUpOnlyWhileItExists()
    {
        Assert.Null(await _client.LookupAsync(Root, "d"));
        var fid = await _client.MkdirAsync(Root, "d", 0x1C0);

        var found = await _client.LookupAsync(Root, "d");
        Assert.Equal(fid, found!.Fid);
        Assert.Equal(FileType.Directory | 0x1C0, found.Mode);
        await Rpc.RefusedAsync(Errno.EEXIST, () => _client.MkdirAsync(Root, "d"));

        await _client.RmdirAsync(Root, "d", fid);
        Assert.Null(await _client.GetAttrAsync(Root, "d"));
        await Rpc.RefusedAsync(Errno.ENOENT, () => _client.GetAttrAsync(fid));
    }

    [Fact]
    public async Task DirectoriesCountTheirSubdirectoriesAndMustBeEmptyToGo()
    {
        var a = await _client.MkdirAsync(Root, "a");
        await _client.MkdirAsync(a, "b");
        await _client.MknodAsync(a, "fifo", FileType.Fifo | 0x1B6);

        Assert.Equal(3u, (await _client.GetAttrAsync(a))!.Body.Nlink);
        await Rpc.RefusedAsync(Errno.ENOTEMPTY, () => _client.RmdirAsync(Root, "a"));

        await _client.RmdirAsync(a, "b");
        await _client.UnlinkAsync(a, "fifo");
        await _client.RmdirAsync(Root, "a");
    }

    [Fact]
    public async Task FilesAreCreatedOpenedAndClosed()
    {
        var file = await _client.CreateAsync(Root, "f", mode: 0x1B6);
        Assert.Equal(Disp.Execd | Disp.LookupExecd | Disp.LookupNeg | Disp.OpenCreate | Disp.OpenOpen, file.Found.Disposition);
        Assert.NotNull(file.Layout);
        Assert.Equal(FileType.Regular | 0x1A4, file.Found.Mode);
        await _client.CloseAsync(file);
        await Rpc.RefusedAsync(Errno.ESTALE, () => _client.CloseAsync(file));

        await Rpc.RefusedAsync(Errno.EEXIST, () => _client.CreateAsync(Root, "f"));
        var again = await _client.OpenAsync(Root, "f", MdsOpen.Read);
        Assert.Equal(file.Fid, again.Fid);
        Assert.NotEqual(file.Handle, again.Handle);
        await _client.CloseAsync(again);
        await Rpc.RefusedAsync(Errno.ENOENT, () => _client.OpenAsync(Root, "g", MdsOpen.Read));
        await Rpc.RefusedAsync(Errno.EISDIR, () => _client.OpenByFidAsync(Root, Root, MdsOpen.Write));
    }

    [Fact]
    public async Task HardLinksShareOneObject()
    {
        var fid = await _client.MknodAsync(Root, "one", FileType.Regular | 0x1A4);
        await _client.LinkAsync(fid, Root, "two");
        Assert.Equal(2u, (await _client.GetAttrAsync(Root, "two"))!.Body.Nlink);
        Assert.Equal(fid, (await _client.LookupAsync(Root, "two"))!.Fid);
        await Rpc.RefusedAsync(Errno.EEXIST, () => _client.LinkAsync(fid, Root, "two"));

        Assert.Equal(1u, await _client.UnlinkAsync(Root, "one", fid));
        Assert.Equal(0u, await _client.UnlinkAsync(Root, "two", fid));
    }

    [Fact]
    public async Task SymbolicLinksKeepTheirTarget()
    {
        const string target = "../somewhere/äöü";
        var fid = await _client.SymlinkAsync(Root, "l", target);
        var found = await _client.GetAttrAsync(Root, "l");
        Assert.Equal(FileType.Symlink | 0x1FF, found!.Mode);
        Assert.Equal(Encoding.UTF8.GetByteCount(target), (int)found.Body.ObjectSize);
        Assert.Equal(target, await _client.ReadLinkAsync(fid, (int)found.Body.ObjectSize));
    }

    [Fact]
    public async Task RenameMovesAndOverwrites()
    {
        var (from, to) = (await _client.MkdirAsync(Root, "from"), await _client.MkdirAsync(Root, "to"));
        var moved = await _client.MknodAsync(from, "x", FileType.Regular | 0x1A4);
        var victim = await _client.MknodAsync(to, "y", FileType.Regular | 0x1A4);

        var overwritten = await _client.RenameAsync(from, "x", to, "y");
        Assert.Equal((victim, 0u), (overwritten.Fid1, overwritten.Nlink));
        Assert.Null(await _client.LookupAsync(from, "x"));
        Assert.Equal(moved, (await _client.LookupAsync(to, "y"))!.Fid);

        await Rpc.RefusedAsync(Errno.ENOENT, () => _client.RenameAsync(from, "x", to, "z"));
        await Rpc.RefusedAsync(Errno.EINVAL, () => _client.RenameAsync(Root, "to", to, "inside", FileType.Directory));
        await _client.RenameAsync(Root, "to", from, "deeper", FileType.Directory);
        Assert.Equal("from/deeper/y", await _client.PathOfAsync(moved));
        Assert.Equal(3u, (await _client.GetAttrAsync(from))!.Body.Nlink);
    }

    [Fact]
    public async Task AttributesAreStoredAsSent()
    {
        var fid = await _client.MknodAsync(Root, "f", FileType.Regular | 0x1A4);
        await _client.ChmodAsync(fid, FileType.Regular | 0x1A0);
        await _client.ChownAsync(fid, 1000, 1001);
        var changed = await _client.SetTimesAsync(fid, 1577836800, 1577836801);
        var found = (await _client.GetAttrAsync(Root, "f"))!.Body;

        Assert.Equal((FileType.Regular | 0x1A0, 1000u, 1001u), (found.Mode, found.Uid, found.Gid));
        Assert.Equal((1577836800, 1577836801), (found.Atime, found.Mtime));
        Assert.Equal((1577836800, 1577836801), (changed.Atime, changed.Mtime));
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - found.Ctime, 0, 60);
    }

    [Fact]
    public async Task ExtendedAttributesOfEveryNamespaceAreKept()
    {
        var fid = await _client.MknodAsync(Root, "f", FileType.Regular | 0x1A4);
        await _client.SetXattrAsync(fid, "user.color", "blue"u8.ToArray());
        await _client.SetXattrAsync(fid, "trusted.x", [1, 2, 3]);
        await _client.SetXattrAsync(fid, "security.y", [0]);
        await Rpc.RefusedAsync(Errno.EEXIST, () => _client.SetXattrAsync(fid, "user.color", [9], flags: 1));

        Assert.Equal("blue"u8.ToArray(), await _client.GetXattrAsync(fid, "user.color"));
        var all = await _client.GetAllXattrsAsync(fid);
        Assert.Equal([1, 2, 3], all["trusted.x"]);
        Assert.Equal([0], all["security.y"]);

        await _client.RemoveXattrAsync(fid, "user.color");
        Assert.Null(await _client.GetXattrAsync(fid, "user.color"));
        await Rpc.RefusedAsync(Errno.ENODATA, () => _client.RemoveXattrAsync(fid, "user.color"));
    }

    [Fact]
    public async Task AccessControlListsDecideAndAreInherited()
    {
        byte[] acl =
        [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
            0x10, 0, 6, 0, 255, 255, 255, 255, 0x20, 0, 4, 0, 255, 255, 255, 255,
        ];
        var fid = await _client.MknodAsync(Root, "f", FileType.Regular | 0x1A4);
        await _client.SetXattrAsync(fid, "system.posix_acl_access", acl);
        var found = await _client.GetAttrAsync(Root, "f");
        Assert.Equal(FileType.Regular | 0x1B4, found!.Mode);
        Assert.Equal(acl, found.Acl);

        _client.Caller = Caller.User(1000);
        await _client.CloseAsync(await _client.OpenAsync(Root, "f", MdsOpen.Write));
        _client.Caller = Caller.User(1001);
        await Rpc.RefusedAsync(Errno.EACCES, () => _client.OpenAsync(Root, "f", MdsOpen.Write));
    }

    [Fact]
    public async Task PlainUsersAreHeldToPermissions()
    {
        var shared = await _client.MkdirAsync(Root, "tmp");
        await _client.ChmodAsync(shared, FileType.Directory | 0x3FF);
        var closed = await _client.MkdirAsync(Root, "closed", 0x1C0);
        _client.Caller = Caller.User(500);
        var own = await _client.MknodAsync(shared, "own", FileType.Regular | 0x1A4);
        await Rpc.RefusedAsync(Errno.EACCES, () => _client.MkdirAsync(Root, "no"));
        await Rpc.RefusedAsync(Errno.EACCES, () => _client.LookupAsync(closed, "x"));
        await Rpc.RefusedAsync(Errno.EPERM, () => _client.ChownAsync(own, 0, 0));

        _client.Caller = Caller.User(501);
        await Rpc.RefusedAsync(Errno.EPERM, () => _client.ChmodAsync(own, FileType.Regular | 0x1FF));
        await Rpc.RefusedAsync(Errno.EPERM, () => _client.UnlinkAsync(shared, "own"));
        _client.Caller = Caller.User(500);
        await _client.UnlinkAsync(shared, "own");
    }

    [Fact]
    public async Task ListingShowsEveryNameOnceWithFidAndType()
    {
        var directory = await _client.MkdirAsync(Root, "d");
        var expected = new Dictionary<string, (LuFid, uint)> { ["."] = (directory, FileType.Directory), [".."] = (Root, FileType.Directory) };
        for (var i = 0; i < 300; i++)
        {
            var name = $"{new string('n', i % 40)}{i}";
            expected[name] = i % 2 == 0
                ? (await _client.MkdirAsync(directory, name), FileType.Directory)
                : (await _client.MknodAsync(directory, name, FileType.Fifo | 0x1A4), FileType.Fifo);
        }

        var listed = await _client.ReadDirAsync(directory);
        Assert.Equal(expected, listed.ToDictionary(entry => entry.Name, entry => (entry.Fid, entry.Type)));
    }

    [Fact]
    public async Task NamesOf255BytesAndPathsOf40ComponentsWork()
    {
        var longest = new string('x', 255);
        var parent = Root;
        for (var depth = 0; depth < 40; depth++)
        {
            parent = await _client.MkdirAsync(parent, depth % 4 == 0 ? longest : $"level-{depth}");
        }

        await _client.MknodAsync(parent, longest, FileType.Regular | 0x1A4);
        await Rpc.RefusedAsync(Errno.ENAMETOOLONG, () => _client.MkdirAsync(parent, longest + "x"));
        var path = string.Join('/', Enumerable.Range(0, 40).Select(depth => depth % 4 == 0 ? longest : $"level-{depth}"));
        Assert.Equal(parent, (await _client.WalkAsync(path)).Fid);
        Assert.Equal(path, await _client.PathOfAsync(parent));
    }

    [Fact]
    public async Task AnOpenFileOutlivesItsName()
    {
        var file = await _client.CreateAsync(Root, "orphan");
        Assert.Equal(0u, await _client.UnlinkAsync(Root, "orphan", file.Fid));
        await _client.WriteAsync(file, 0, "still here"u8.ToArray());

        Assert.Equal("still here"u8.ToArray(), await _client.ReadAsync(file, 0, 100));
        Assert.Equal(0u, (await _client.GetAttrAsync(file.Fid))!.Body.Nlink);
        await _client.CloseAsync(file);
        await Rpc.RefusedAsync(Errno.ENOENT, () => _client.GetAttrAsync(file.Fid));
    }

    [Fact]
    public async Task ADirectorysDefaultLayoutIsInherited()
    {
        var directory = await _client.MkdirAsync(Root, "striped");
        await _client.SetDefaultLayoutAsync(directory, Layouts.Striped(2, 1 << 20));
        var below = await _client.MkdirAsync(directory, "below");
        var file = await _client.CreateAsync(below, "f");

        Assert.Equal(2, file.Layout!.Components.Single().StripeCount);
        Assert.Equal([0u, 1u], file.Layout.Objects().Select(data => data.OstIndex).Order());
    }

    [Fact]
    public async Task TwoClientsGetDifferentFids()
    {
        var other = await _server.MountAsync();
        var fids = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? _client : other).MkdirAsync(Root, $"d{i}")));
        Assert.Equal(40, fids.Distinct().Count());
    }
}
