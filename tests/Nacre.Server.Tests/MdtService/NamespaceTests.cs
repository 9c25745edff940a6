using Nacre.PtlRpc.Wire;
using static Nacre.Server.Tests.MdtService.ScriptedClient;

namespace Nacre.Server.Tests.MdtService;

/// <summary>Names and attributes over the wire: replies in the shape of 05 section 20, dispositions of 6.4.</summary>
public class NamespaceTests
{
    private const ObdMd AlwaysSent = ObdMd.FlFlags | ObdMd.FlProjid;

    [Fact]
    public async Task Mkdir_lookup_and_rmdir_look_like_genuine_ones()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var (made, fid) = await client.MakeAsync(Root, "d", 0x4000 | 0x1ff, umask: 0x12);
        Assert.Equal([216, 0], made.Lengths);
        Assert.NotEqual(0ul, made.Transno);
        Assert.Equal(fid, made.Get<MdtBody>(1).Fid1);
        Assert.Equal((ObdMd)0x10000000000127bf | AlwaysSent, made.Get<MdtBody>(1).Valid);
        Assert.Equal(0x41edu, made.Get<MdtBody>(1).Mode);

        var found = await client.GetAttrAsync(Root, "d");
        Assert.Equal(0, found.Rpc.Status);
        Assert.Equal([112, 216, 0, 0, 0, 0, 56, 0], found.Rpc.Lengths);
        Assert.Equal((Disp)0xb, found.Disposition);
        Assert.Equal((ObdMd)0x10000080800127bf | AlwaysSent, found.Body.Valid);
        Assert.Equal(Nacre.Ldlm.Wire.LockMode.PR, found.Mode);
        Assert.Equal(0x13ul, (ulong)found.Bits);
        Assert.Equal(0x1001u, (uint)found.Reply.LockFlags);
        Assert.Equal(fid.Sequence, found.Reply.LockDesc.Resource.Name.Name0);
        Assert.Equal(0ul, found.Rpc.Transno);

        Assert.Equal(-Errno.EEXIST, (await client.MakeAsync(Root, "d", 0x41ff)).Answer.Status);
        var removed = await client.UnlinkAsync(Root, "d", 0x4000);
        Assert.Equal([216, 0, 0, 0, 0], removed.Lengths);
        Assert.Equal(0u, removed.Get<MdtBody>(1).Nlink);
        Assert.Equal(fid, removed.Get<MdtBody>(1).Fid1);
        Assert.Equal(0, (await client.GetAttrAsync(fid)).Rpc.Status - 301);
    }

    [Fact]
    public async Task Lookup_outcomes_are_those_of_the_table()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var missing = await client.LookupAsync(Root, "nobody");
        Assert.Equal((301, (Disp)0x7, 0), (missing.Rpc.Status, missing.Disposition, missing.Result));
        Assert.Equal(0ul, missing.LockHandle);
        Assert.Equal([112, 216, 0, 0, 0, 0, 56, 0], missing.Rpc.Lengths);

        var goneParent = await client.LookupAsync(new LuFid(0x200000401, 77), "x");
        Assert.Equal((301, (Disp)0x3, -Errno.ESTALE), (goneParent.Rpc.Status, goneParent.Disposition, goneParent.Result));

        var goneFid = await client.GetAttrAsync(new LuFid(0x200000401, 77));
        Assert.Equal((301, (Disp)0xb, -Errno.ENOENT), (goneFid.Rpc.Status, goneFid.Disposition, goneFid.Result));

        await client.MkdirAsync(Root, "private", 0x1c0);
        var secret = (await client.LookupAsync(Root, "private")).Fid;
        client.Identity = (500, 500, 0);
        var denied = await client.LookupAsync(secret, "x");
        Assert.Equal((301, (Disp)0x3, -Errno.EACCES), (denied.Rpc.Status, denied.Disposition, denied.Result));
    }

    [Fact]
    public async Task A_quiet_object_gets_UPDATE_with_its_lookup()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        await client.MkdirAsync(Root, "old");
        var fid = (await client.LookupAsync(Root, "old")).Fid;
        Assert.Equal(0x11ul, (ulong)(await client.LookupAsync(Root, "old")).Bits); // The client's clock is ahead.
        await client.SetAttrAsync(fid, MdsAttr.Ctime, r => r);
        lock (server.Store.Gate)
        {
            // Root's own times are the server's of its first start, so not yet quiet; an object of long ago is.
            server.FileSystem.Create(Nacre.Server.Mdt.FileSystem.MdtCredentials.Root, new()
            {
                Parent = Root,
                Name = "older"u8,
                Fid = new LuFid(fid.Sequence, 4000),
                Mode = 0x41ed,
                Time = 1000,
            });
        }
        Assert.Equal(0x13ul, (ulong)(await client.LookupAsync(Root, "older")).Bits);
    }

    [Fact]
    public async Task Symlinks_are_made_and_read()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var (made, fid) = await client.MakeAsync(Root, "l", 0xa1ff, target: "some/where");
        Assert.Equal(0, made.Status);
        var read = await client.PlainGetAttrAsync(fid, ObdMd.LinkName, room: 11);
        Assert.Equal([216, 11, 0, 0, 0, 0], read.Lengths);
        Assert.Equal(11u, read.Get<MdtBody>(1).EaDataSize);
        Assert.Equal((ObdMd)0x10000000000527bf | AlwaysSent, read.Get<MdtBody>(1).Valid);
        Assert.Equal(Text("some/where"), read.Buffer(2));
        var opened = await client.OpenAsync(Root, "l", MdsOpen.Read);
        Assert.Equal((301, (Disp)0xb, 0, 0ul, 0ul),
            (opened.Rpc.Status, opened.Disposition, opened.Result, opened.Handle, opened.Rpc.Transno));
    }

    [Fact]
    public async Task Hard_links_count_and_vanish_one_by_one()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "a");
        var linked = await client.LinkAsync(fid, Root, "b");
        Assert.Equal((0, ObdMd.None), (linked.Status, linked.Get<MdtBody>(1).Valid));
        Assert.Equal([216], linked.Lengths);
        Assert.Equal(2u, (await client.GetAttrAsync(Root, "b")).Body.Nlink);
        Assert.Equal(-Errno.EEXIST, (await client.LinkAsync(fid, Root, "b")).Status);
        Assert.Equal(1u, (await client.UnlinkAsync(Root, "a")).Get<MdtBody>(1).Nlink);
        Assert.Equal(1u, (await client.GetAttrAsync(Root, "b")).Body.Nlink);
        Assert.Equal(0u, (await client.UnlinkAsync(Root, "b")).Get<MdtBody>(1).Nlink);
        Assert.Equal(-Errno.ENOENT, (await client.UnlinkAsync(Root, "b")).Status);
    }

    [Fact]
    public async Task Rename_describes_what_it_overwrote()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var from = await client.MkdirAsync(Root, "from");
        var to = await client.MkdirAsync(Root, "to");
        var moved = await client.CreateFileAsync(from, "x");
        var victim = await client.CreateFileAsync(to, "y");

        var renamed = await client.RenameAsync(from, "x", to, "y");
        Assert.Equal(0, renamed.Status);
        Assert.Equal([216, 0, 0, 0, 0], renamed.Lengths);
        var body = renamed.Get<MdtBody>(1);
        Assert.Equal((victim, 0u), (body.Fid1, body.Nlink));
        Assert.Equal((ObdMd)0x100000000000278f | AlwaysSent, body.Valid);
        Assert.Equal(moved, (await client.LookupAsync(to, "y")).Fid);
        Assert.Equal((Disp)7, (await client.LookupAsync(from, "x")).Disposition);

        var plain = await client.RenameAsync(to, "y", from, "z");
        Assert.Equal((0, ObdMd.None), (plain.Status, plain.Get<MdtBody>(1).Valid));
        Assert.NotEqual(0ul, plain.Transno);
    }

    [Fact]
    public async Task Renames_that_cannot_be_are_refused()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var a = await client.MkdirAsync(Root, "a");
        var b = await client.MkdirAsync(a, "b");
        await client.CreateFileAsync(b, "full");
        await client.MkdirAsync(Root, "empty");
        await client.CreateFileAsync(Root, "file");
        Assert.Equal(-Errno.EINVAL, (await client.RenameAsync(Root, "a", b, "loop")).Status);
        Assert.Equal(-Errno.EINVAL, (await client.RenameAsync(Root, "a", a, "self")).Status);
        Assert.Equal(-Errno.ENOENT, (await client.RenameAsync(Root, "nobody", a, "x")).Status);
        Assert.Equal(-Errno.EISDIR, (await client.RenameAsync(Root, "file", Root, "empty")).Status);
        Assert.Equal(-Errno.ENOTDIR, (await client.RenameAsync(Root, "empty", Root, "file")).Status);
        var full = await client.RenameAsync(Root, "empty", a, "b");
        Assert.Equal((-Errno.ENOTEMPTY, 0ul), (full.Status, full.Transno));
        Assert.Equal([216, 0, 0, 0, 0], full.Lengths);
    }

    /// <summary>Each of these names an object that the request locks already as a parent.</summary>
    [Fact]
    public async Task Names_that_lead_back_to_the_parent_leave_it_usable()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var a = await client.MkdirAsync(Root, "a");
        await client.MkdirAsync(a, "b");
        var lonely = await client.MkdirAsync(Root, "lonely");
        Assert.Equal(-Errno.EINVAL, (await client.UnlinkAsync(lonely, ".", 0x4000)).Status);
        Assert.Equal(-Errno.ENOTEMPTY, (await client.UnlinkAsync(lonely, "..", 0x4000)).Status);
        Assert.Equal(-Errno.EINVAL, (await client.RenameAsync(a, "b", Root, "a")).Status);
        Assert.Equal(-Errno.EINVAL, (await client.RenameAsync(lonely, ".", Root, "x")).Status);
        Assert.Equal(-Errno.EBUSY, (await client.RenameAsync(lonely, "..", a, "x")).Status);
        Assert.Equal(-Errno.EBUSY, (await client.RenameAsync(a, "b", lonely, ".")).Status);
        await client.MkdirAsync(a, "c");
        await client.MkdirAsync(lonely, "d");
        await client.MkdirAsync(Root, "e");
        Assert.Equal(0, server.Target.Locks.CalledBackCount);
    }

    [Fact]
    public async Task Wrong_kinds_of_removal_are_told_apart()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var d = await client.MkdirAsync(Root, "d");
        await client.CreateFileAsync(d, "f");
        Assert.Equal(-Errno.EISDIR, (await client.UnlinkAsync(Root, "d")).Status);
        Assert.Equal(-Errno.ENOTDIR, (await client.UnlinkAsync(d, "f", 0x4000)).Status);
        Assert.Equal(-Errno.ENOTEMPTY, (await client.UnlinkAsync(Root, "d", 0x4000)).Status);
    }

    [Fact]
    public async Task Names_are_checked()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        Assert.Equal(-Errno.ENAMETOOLONG, (await client.MakeAsync(Root, new string('n', 256), 0x41ed)).Answer.Status);
        Assert.Equal(0, (await client.MakeAsync(Root, new string('n', 255), 0x41ed)).Answer.Status);
        var record = Bytes(client.NameRecord(ReintOp.Unlink, Root, default, 0));
        Assert.Equal(-Errno.EPROTO, (await client.ReintAsync([record, [], "x"u8.ToArray(), NoCancels, []])).Status);
        Assert.Equal(-Errno.EPROTO, (await client.ReintAsync([record, [], "x\0y\0"u8.ToArray(), NoCancels, []])).Status);
        Assert.Equal(-Errno.EPROTO, (await client.ReintAsync([record, [], [], NoCancels, []])).Status);
    }

    [Fact]
    public async Task Setattr_answers_with_the_new_attributes()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "f");
        var chmod = await client.SetAttrAsync(fid, MdsAttr.Mode | MdsAttr.Ctime | MdsAttr.CtimeSet, r => r with { Mode = 0x8180 });
        Assert.Equal([216, 0, 0, 0, 0], chmod.Lengths);
        Assert.Equal((ObdMd)0x100000000000278f | AlwaysSent, chmod.Get<MdtBody>(1).Valid);
        Assert.Equal(0x8180u, chmod.Get<MdtBody>(1).Mode);
        Assert.NotEqual(0ul, chmod.Transno);

        var late = await client.SetAttrAsync(
            fid, MdsAttr.MtimeSet | MdsAttr.CtimeSet, r => r with { Mtime = 5, Ctime = Now - 100 });
        Assert.Equal((0, 0ul), (late.Status, late.Transno));
        Assert.Equal(Now, late.Get<MdtBody>(1).Mtime);

        client.Identity = (500, 500, 0);
        var denied = await client.SetAttrAsync(fid, MdsAttr.Mode, r => r with { Mode = 0x81ff });
        Assert.Equal((-Errno.EPERM, 0ul), (denied.Status, denied.Transno));
        Assert.Equal([216, 0, 0, 0, 0], denied.Lengths);
    }

    [Fact]
    public async Task Nobody_skips_the_checks_by_claiming_to_be_the_kernel()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "f");
        client.Identity = (500, 500, uint.MaxValue); // Capabilities of a plain user do not count either.
        var answer = await client.SetAttrAsync(fid, MdsAttr.Uid | MdsAttr.Force, r => r with { Uid = 500 });
        Assert.Equal(-Errno.EPERM, answer.Status);
    }

    [Fact]
    public async Task Root_squash_makes_root_nobody()
    {
        await using var server = await MdtServer.StartAsync(configure: o => o with { Identity = new() { RootSquash = (65534, 65534) } });
        var client = await server.ConnectAsync();
        Assert.Equal(-Errno.EACCES, (await client.MakeAsync(Root, "d", 0x41ed)).Answer.Status);
    }

    [Fact]
    public async Task A_read_only_connection_changes_nothing_but_reads()
    {
        await using var server = await MdtServer.StartAsync();
        var writer = await server.ConnectAsync();
        await writer.CreateFileAsync(Root, "f");
        var reader = await server.ConnectAsync(w => w with { Flags = w.Flags | ConnectFlags.Rdonly });
        Assert.Equal(-Errno.EROFS, (await reader.MakeAsync(Root, "d", 0x41ed)).Answer.Status);
        var write = await reader.OpenAsync(Root, "f", MdsOpen.Write);
        Assert.Equal((301, -Errno.EROFS), (write.Rpc.Status, write.Result));
        var read = await reader.OpenAsync(Root, "f", MdsOpen.Read);
        Assert.Equal(0, read.Result);
        Assert.Equal(0, (await reader.CloseAsync(read)).Status);
    }

    [Fact]
    public async Task Fid2path_and_getattr_by_name_find_each_other()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var d = await client.MkdirAsync(Root, "d");
        var fid = await client.CreateFileAsync(d, "f");
        var key = new byte[64];
        "fid2path"u8.CopyTo(key);
        Bytes(new GetinfoFid2Path { Fid = fid, RecordNumber = ulong.MaxValue, PathLength = 100 }).CopyTo(key, 16);
        Bytes(Root).CopyTo(key, 48);
        var path = await client.SendAsync(Opcode.MdsGetInfo, Portal.MdsRequest, [key, Bytes(132u)]);
        Assert.Equal([132], path.Lengths);
        Assert.Equal("d/f\0"u8.ToArray(), path.Buffer(1)[32..36]);

        var raw = await client.SendAsync(Opcode.MdsGetattrName, Portal.MdsRequest, [Bytes(client.Ask(d, ObdMd.None)), [], Text("f")]);
        Assert.Equal((fid, ObdMd.FlId), (raw.Get<MdtBody>(1).Fid1, raw.Get<MdtBody>(1).Valid));
        var full = await client.SendAsync(
            Opcode.MdsGetattrName, Portal.MdsRequest, [Bytes(client.Ask(d, (ObdMd)0x10020001, 4096)), [], Text("f")]);
        Assert.Equal(LovMagic.CompV1, LovCodec.MagicOf(full.Buffer(2)));
        var absent = await client.SendAsync(Opcode.MdsGetattrName, Portal.MdsRequest, [Bytes(client.Ask(d, ObdMd.None)), [], Text("g")]);
        Assert.Equal(-Errno.ENOENT, absent.Status);
    }
}
