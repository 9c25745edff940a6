using System.Buffers.Binary;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using static Nacre.Server.Tests.MdtService.ScriptedClient;

namespace Nacre.Server.Tests.MdtService;

/// <summary>Extended attributes and ACLs (05 sections 3.5, 5.8, 6.7, 13).</summary>
public class XattrTests
{
    /// <summary>An ACL of five entries: rw- for the owner, <paramref name="perm"/> for one user, r-- for group and others.</summary>
    public static byte[] Acl(uint user, ushort perm)
    {
        var acl = new byte[44];
        BinaryPrimitives.WriteUInt32LittleEndian(acl, 2);
        int at = 4;
        foreach (var (tag, p, id) in new (ushort, ushort, uint)[]
            { (1, 6, uint.MaxValue), (2, perm, user), (4, 4, uint.MaxValue), (0x10, 6, uint.MaxValue), (0x20, 4, uint.MaxValue) })
        {
            BinaryPrimitives.WriteUInt16LittleEndian(acl.AsSpan(at), tag);
            BinaryPrimitives.WriteUInt16LittleEndian(acl.AsSpan(at + 2), p);
            BinaryPrimitives.WriteUInt32LittleEndian(acl.AsSpan(at + 4), id);
            at += 8;
        }
        return acl;
    }

    [Fact]
    public async Task Values_are_set_read_replaced_and_removed()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "f");
        var set = await client.SetXattrAsync(fid, "user.color", "blue"u8.ToArray());
        Assert.Equal((0, ObdMd.None), (set.Status, set.Get<MdtBody>(1).Valid));
        Assert.Equal([216], set.Lengths);
        Assert.NotEqual(0ul, set.Transno);

        var value = await client.GetXattrAsync(fid, "user.color");
        Assert.Equal([216, 4], value.Lengths);
        Assert.Equal((ObdMd.FlXattr, 4u), (value.Get<MdtBody>(1).Valid, value.Get<MdtBody>(1).EaDataSize));
        var size = await client.GetXattrAsync(fid, "user.color", room: 0);
        Assert.Equal([216, 0], size.Lengths);
        Assert.Equal(4u, size.Get<MdtBody>(1).EaDataSize);

        Assert.Equal(-Errno.EEXIST, (await client.SetXattrAsync(fid, "user.color", [1], flags: 1)).Status);
        Assert.Equal(-Errno.ENODATA, (await client.SetXattrAsync(fid, "user.none", [1], flags: 2)).Status);
        Assert.Equal(0, (await client.SetXattrAsync(fid, "user.color", [], flags: 2, remove: true)).Status);
        var gone = await client.GetXattrAsync(fid, "user.color");
        Assert.Equal((-Errno.ENODATA, ObdMd.None), (gone.Status, gone.Get<MdtBody>(1).Valid));
        Assert.Equal([216, 0], gone.Lengths);
    }

    [Fact]
    public async Task All_of_them_come_at_once_under_a_lock()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "f");
        await client.SetXattrAsync(fid, "user.a", "one"u8.ToArray());
        await client.SetXattrAsync(fid, "user.b", "three"u8.ToArray());
        var all = await client.GetAllXattrsAsync(fid);
        Assert.Equal((0, LockMode.PR, InodeBits.Xattr, 0x1001u), (all.Rpc.Status, all.Mode, all.Bits, (uint)all.Reply.LockFlags));
        Assert.Equal(0ul, all.Reply.LockPolicyRes1);
        Assert.Equal([112, 216, 56, 260], all.Rpc.Lengths[..4]);
        Assert.Equal(ObdMd.FlXattr, all.Body.Valid);
        var names = Encoding.ASCII.GetString(all.Rpc.Buffer(5)).TrimEnd('\0').Split('\0');
        var lengths = all.Rpc.Buffer(7).Chunk(4).Select(b => BitConverter.ToInt32(b)).ToArray();
        Assert.Equal(((uint)names.Length, (uint)lengths.Sum()), (all.Body.MaxMdSize, all.Body.AclSize));
        var values = new Dictionary<string, string>();
        int at = 0;
        for (int i = 0; i < names.Length; at += lengths[i], i++)
            values[names[i]] = Encoding.Latin1.GetString(all.Rpc.Buffer(6), at, lengths[i]);
        Assert.Equal(("one", "three"), (values["user.a"], values["user.b"]));
        Assert.Contains("trusted.lov", names);

        var small = await client.GetAllXattrsAsync(fid, room: 8);
        Assert.Equal((0, -Errno.ERANGE), (small.Rpc.Status, small.Result));
        Assert.NotEqual(0ul, small.LockHandle);
        Assert.Equal(-Errno.EINVAL, (await client.GetAllXattrsAsync(fid, room: 0)).Result);
    }

    [Fact]
    public async Task Names_with_a_meaning_are_treated_by_it()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "f");
        var before = (await client.GetAttrAsync(Root, "f")).Layout;
        var protectedOne = await client.SetXattrAsync(fid, "trusted.lov", new byte[56]);
        Assert.Equal((0, 0ul), (protectedOne.Status, protectedOne.Transno));
        Assert.Equal(before, (await client.GetAttrAsync(Root, "f")).Layout);
        Assert.Equal(-Errno.EOPNOTSUPP, (await client.SetXattrAsync(fid, "lustre.lov.add", new byte[56])).Status);
        Assert.Equal(-Errno.EINVAL, (await client.SetXattrAsync(fid, "lustre.lov.what", new byte[56])).Status);
        Assert.Equal((0, 0u), ((await client.GetXattrAsync(Root, "trusted.lov")).Status, (await client.GetXattrAsync(Root, "trusted.lov")).Get<MdtBody>(1).EaDataSize));
        client.Identity = (500, 500, 0);
        Assert.Equal(-Errno.EPERM, (await client.SetXattrAsync(fid, "trusted.mine", [1])).Status);
    }

    [Fact]
    public async Task User_attributes_need_the_connection_to_have_them()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync(w => w with { Flags = w.Flags & ~ConnectFlags.Xattr });
        var fid = await client.CreateFileAsync(Root, "f");
        Assert.Equal(-Errno.EOPNOTSUPP, (await client.SetXattrAsync(fid, "user.k", [1])).Status);
        Assert.Equal(-Errno.EOPNOTSUPP, (await client.GetXattrAsync(fid, "user.k")).Status);
    }

    [Fact]
    public async Task An_access_acl_travels_with_the_attributes_and_decides()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "f", 0x1a4);
        Assert.Equal(0, (await client.SetXattrAsync(fid, "system.posix_acl_access", Acl(1000, 6))).Status);
        var found = await client.GetAttrAsync(Root, "f");
        Assert.Equal(0x81b4u, found.Body.Mode); // 664: the group bits hold the mask.
        Assert.Equal((44u, Convert.ToHexString(Acl(1000, 6))), (found.Body.AclSize, Convert.ToHexString(found.Acl)));
        Assert.True((found.Body.Valid & ObdMd.FlAcl) != 0);
        client.Identity = (1000, 1000, 0);
        Assert.Equal(0, (await client.OpenAsync(Root, "f", MdsOpen.Write)).Result);
        client.Identity = (1001, 1001, 0);
        Assert.Equal(-Errno.EACCES, (await client.OpenAsync(Root, "f", MdsOpen.Write)).Result);
    }

    [Fact]
    public async Task A_default_acl_is_inherited_and_overrides_the_umask()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var directory = await client.MkdirAsync(Root, "d");
        Assert.Equal(0, (await client.SetXattrAsync(directory, "system.posix_acl_default", Acl(1000, 6))).Status);
        var made = await client.OpenAsync(directory, "f", MdsOpen.Creat | MdsOpen.Write, mode: 0x1b6, umask: 0x3f);
        Assert.Equal(44u, made.Body.AclSize);
        Assert.Equal(44, made.Rpc.Lengths[3]);
        Assert.Equal(0x81b4u, made.Body.Mode);
    }
}
