using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Tests.MdtService;

/// <summary>What a mount and an unmount ask of the MDT (05 section 3.1, 04 section 10.3).</summary>
public class MountTests
{
    [Fact]
    public async Task Connect_grants_what_is_implemented_and_nothing_that_was_not_asked()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var granted = client.Granted;
        Assert.True(granted.Has(ConnectFlags.Fid | ConnectFlags.Attrfid | ConnectFlags.Full20 | ConnectFlags.Version));
        Assert.True(granted.Has(ConnectFlags.Layoutlock | ConnectFlags.LvbType | ConnectFlags.Acl | ConnectFlags.Xattr));
        Assert.True(granted.Has(ConnectFlags2.SumStatfs | ConnectFlags2.GetattrPfid));
        Assert.False(granted.Has(ConnectFlags.DirStripe));
        Assert.False(granted.Has(ConnectFlags.Grant));
        Assert.False(granted.Has(ConnectFlags2.Flr));
        Assert.Equal(0x3ful, granted.IbitsKnown);
        Assert.Equal(1u << 20, granted.BrwSize);
        Assert.Equal(65536u, granted.MaxEaSize);
        Assert.Equal(8, granted.MaxModRpcs);
        Assert.Equal((ConnectFlags)0, granted.Flags & ~(ConnectFlags)0xae7e5e7be374d3b8);
    }

    [Fact]
    public async Task Root_is_found_and_described_like_a_genuine_one()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var root = await client.SendAsync(Opcode.MdsGetRoot, Portal.MdsRequest, [ScriptedClient.Bytes(default(MdtBody))]);
        Assert.Equal([216, 0], root.Lengths);
        Assert.Equal(ScriptedClient.Root, root.Get<MdtBody>(1).Fid1);
        Assert.Equal(ObdMd.FlId, root.Get<MdtBody>(1).Valid);

        var attributes = await client.PlainGetAttrAsync(ScriptedClient.Root, (ObdMd)0x3100008081016fff);
        Assert.Equal(0, attributes.Status);
        Assert.Equal([216, 0, 0, 0, 0, 0], attributes.Lengths);
        var body = attributes.Get<MdtBody>(1);
        Assert.Equal((ObdMd)0x1100008080012fbf, body.Valid); // Capture "mount", request 18.
        Assert.Equal(0x4000u, body.Mode & 0xf000);
        Assert.Equal(0ul, attributes.Transno);
    }

    [Fact]
    public async Task Statfs_is_that_of_the_mdt_or_of_the_whole_file_system()
    {
        await using var server = await MdtServer.StartAsync(osts: 3);
        server.Osts[1].Available = 1L << 39;
        var client = await server.ConnectAsync();
        var plain = await client.SendAsync(Opcode.MdsStatfs, Portal.MdsRequest, []);
        Assert.Equal([144], plain.Lengths);
        Assert.True(uint.IsPow2(plain.Get<ObdStatfs>(1).BlockSize));
        Assert.Equal(StatfsState.None, plain.Get<ObdStatfs>(1).State);

        var sum = await client.SendAsync(
            Opcode.MdsStatfs, Portal.MdsRequest, [ScriptedClient.Bytes(new MdtBody { Valid = ObdMd.FlagStatfs })]);
        var statfs = sum.Get<ObdStatfs>(1);
        Assert.Equal(StatfsState.Sum, statfs.State);
        Assert.Equal(3UL << 40, statfs.Blocks * statfs.BlockSize);
        Assert.Equal((2UL << 40) + (1UL << 39), statfs.BlocksAvailable * statfs.BlockSize);
        Assert.True(statfs.FilesFree <= 3UL << 20);
    }

    [Fact]
    public async Task A_subdirectory_can_be_the_root_of_a_mount()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var home = await client.MkdirAsync(ScriptedClient.Root, "home");
        var user = await client.MkdirAsync(home, "user");
        await client.CreateFileAsync(home, "file");
        Assert.Equal(user, (await GetRootAsync(client, "/home//user")).Get<MdtBody>(1).Fid1);
        Assert.Equal(-Errno.ENOENT, (await GetRootAsync(client, "/nobody")).Status);
        Assert.Equal(-Errno.ENOTDIR, (await GetRootAsync(client, "/home/file")).Status);
        Assert.Equal(-Errno.EINVAL, (await GetRootAsync(client, "/home/..")).Status);
    }

    private static Task<RpcAnswer> GetRootAsync(ScriptedClient client, string path) => client.SendAsync(
        Opcode.MdsGetRoot, Portal.MdsRequest, [ScriptedClient.Bytes(default(MdtBody)), ScriptedClient.Text(path)]);

    [Fact]
    public async Task Sequences_are_never_given_twice_and_located_here()
    {
        await using var server = await MdtServer.StartAsync();
        var one = await server.ConnectAsync();
        var two = await server.ConnectAsync();
        var seen = new HashSet<ulong>();
        for (int i = 0; i < 5; i++)
        {
            foreach (var client in new[] { one, two })
            {
                var answer = await client.SendAsync(
                    Opcode.SeqQuery, Portal.SeqMetadata, [ScriptedClient.Bytes(1u), ScriptedClient.Bytes(default(LuSeqRange))]);
                var range = answer.Get<LuSeqRange>(1);
                Assert.Equal(range.Start + 1, range.End);
                Assert.InRange(range.Start, 0x200000401ul, 0x23ffffffful);
                Assert.True(seen.Add(range.Start));
            }
        }
        var fld = await one.SendAsync(Opcode.FldQuery, Portal.FldRequest, [
            ScriptedClient.Bytes(2u), ScriptedClient.Bytes(new LuSeqRange { Start = seen.First() })]);
        Assert.Equal(0x200000400ul, fld.Get<LuSeqRange>(1).Start);
        Assert.Equal(0u, fld.Get<LuSeqRange>(1).Index);
        var unknown = await one.SendAsync(Opcode.FldQuery, Portal.FldRequest, [
            ScriptedClient.Bytes(2u), ScriptedClient.Bytes(new LuSeqRange { Start = 0x300000000 })]);
        Assert.Equal(-Errno.ENOENT, unknown.Status);
    }

    [Fact]
    public async Task Opcodes_that_are_not_there_are_refused_and_not_ignored()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        Assert.True((await client.SendAsync(51, Portal.MdsRequest, [])).Status < 0);
        Assert.Equal(-Errno.EOPNOTSUPP, (await client.SendAsync(
            Opcode.MdsQuotactl, Portal.MdsRequest, [ScriptedClient.Bytes(new ObdQuotactl { Command = 0x800007 })])).Status);
        Assert.Equal(0, (await client.SendAsync(
            Opcode.MdsQuotactl, Portal.MdsRequest, [ScriptedClient.Bytes(new ObdQuotactl { Command = 0x800103 })])).Status);
    }

    [Fact]
    public async Task Unmount_releases_locks_and_open_files()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        await client.OpenAsync(ScriptedClient.Root, "f", MdsOpen.Creat | MdsOpen.Write);
        await client.GetAttrAsync(ScriptedClient.Root, "f");
        Assert.Equal(1, server.Target.OpenFileCount);
        Assert.NotEqual(0, server.Target.Locks.LockCount);
        Assert.Equal(0, (await client.DisconnectAsync()).Status);
        Assert.Equal(0, server.Target.OpenFileCount);
        Assert.Equal(0, server.Target.Locks.LockCount);
        Assert.Equal((0, 0, 0), Counts());

        (int, int, int) Counts()
        {
            lock (server.Store.Gate)
            {
                var found = server.FileSystem.Lookup(Nacre.Server.Mdt.FileSystem.MdtCredentials.Root, ScriptedClient.Root, "f"u8);
                return server.FileSystem.OpenCounts(found.Object.Fid);
            }
        }
    }
}
