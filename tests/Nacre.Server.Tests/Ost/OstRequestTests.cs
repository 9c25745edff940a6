using System.Runtime.InteropServices;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Tests.Ost;

/// <summary>The requests besides READ and WRITE, and what locks have to do with them.</summary>
public class OstRequestTests
{
    private static async Task<int> ErrnoOf(Task task) => (await Assert.ThrowsAsync<FsException>(() => task)).Errno;

    private static Obdo Range(ulong start, ulong end, ObdoValid valid = 0)
    {
        var oa = OstClient.Object(ObdoValid.Size | ObdoValid.Blocks | valid);
        oa.ObjectSize = start;
        oa.Blocks = end;
        return oa;
    }

    [Fact]
    public async Task Connects_are_granted_what_the_target_can_do()
    {
        await using var ost = await OstFixture.StartAsync();
        var granted = (await ost.ConnectAsync()).Import.ConnectData;
        // What a genuine OST grants (06 section 3), less LRU_RESIZE, LFSCK and ENCRYPT.
        Assert.Equal(0xa0425af2e3440078 & ~(0x2000000ul | 0x40000000000000), (ulong)granted.Flags);
        Assert.Equal(0x140202ul, (ulong)granted.Flags2);
        Assert.Equal((4u << 20, 7u), (granted.BrwSize, granted.ChecksumTypes));
        Assert.Equal((12, 24, 16384u), (granted.GrantBlkBits, granted.GrantTaxKb, granted.GrantMaxBlks));
        Assert.Equal((ulong)ost.Store.MaxObjectBytes, granted.MaxBytes);
    }

    [Theory]
    [InlineData(3u << 20, 2u << 20)]
    [InlineData(1u << 20, 1u << 20)]
    [InlineData(0u, 1u << 20)]
    [InlineData(uint.MaxValue, 4u << 20)]
    public async Task The_RPC_size_is_a_power_of_two(uint asked, uint granted)
    {
        await using var ost = await OstFixture.StartAsync();
        Assert.Equal(granted, (await ost.ConnectAsync(wanted => wanted with { BrwSize = asked })).Import.ConnectData.BrwSize);
    }

    [Fact]
    public async Task Attributes_are_set_by_name()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var pristine = await client.BodyAsync(Opcode.OstGetattr, OstClient.Object());
        Assert.Equal((ObdoValid)0x110000001000fbf, pristine.Valid);
        Assert.Equal(((uint)Convert.ToInt32("107666", 8), 0ul, 0ul), (pristine.Mode, pristine.DataVersion, pristine.ObjectSize));

        var times = OstClient.Object(ObdoValid.MTime | ObdoValid.CTime);
        (times.MTime, times.ATime, times.CTime, times.Uid) = (-5, 77, 1L << 33, 99);
        await client.BodyAsync(Opcode.OstSetattr, times);
        var write = OstClient.Object(ObdoValid.Uid | ObdoValid.Gid | ObdoValid.ProjectId);
        (write.Uid, write.Gid, write.ProjectId) = (1, 2, 3);
        await client.WriteAsync(0, [1], oa: write);
        write.Uid = 50;
        await client.WriteAsync(0, [1], oa: write);

        var after = await client.BodyAsync(Opcode.OstGetattr, OstClient.Object());
        Assert.Equal((-5, 0, 1L << 33), (after.MTime, after.ATime, after.CTime));
        Assert.Equal((1u, 2u, 3u), (after.Uid, after.Gid, after.ProjectId));
        Assert.Equal((uint)Convert.ToInt32("100666", 8), after.Mode);
        Assert.NotEqual(0ul, after.DataVersion);

        var owner = OstClient.Object(ObdoValid.Uid);
        owner.Uid = 8;
        await client.BodyAsync(Opcode.OstSetattr, owner);
        var last = await client.BodyAsync(Opcode.OstGetattr, OstClient.Object());
        Assert.Equal((8u, after.DataVersion), (last.Uid, last.DataVersion));
        Assert.Equal(Errno.EPERM, await ErrnoOf(client.BodyAsync(Opcode.OstSetattr, OstClient.Object(ObdoValid.Size))));
    }

    [Fact]
    public async Task A_data_version_never_repeats()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var seen = new HashSet<ulong>();
        for (int i = 0; i < 3; i++)
        {
            await client.WriteAsync(i, [1]);
            Assert.True(seen.Add((await client.BodyAsync(Opcode.OstGetattr, OstClient.Object())).DataVersion));
            await client.BodyAsync(Opcode.OstPunch, Range((ulong)i, ulong.MaxValue));
            Assert.True(seen.Add((await client.BodyAsync(Opcode.OstGetattr, OstClient.Object())).DataVersion));
            await client.BodyAsync(Opcode.OstFallocate, Range(0, 100));
            Assert.True(seen.Add((await client.BodyAsync(Opcode.OstGetattr, OstClient.Object())).DataVersion));
        }
    }

    [Fact]
    public async Task Truncated_bytes_do_not_come_back()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        await client.WriteAsync(0, Enumerable.Repeat((byte)7, 10_000).ToArray());
        using (var reply = await client.RawBodyAsync(Opcode.OstPunch, Range(5000, ulong.MaxValue)))
        {
            Assert.Equal(ObdoValid.Id | ObdoValid.Blocks, reply.Get<OstBody>(1).Oa.Valid);
            Assert.NotEqual(0ul, reply.Transno);
        }
        await client.BodyAsync(Opcode.OstPunch, Range(10_000, ulong.MaxValue));
        var read = await client.ReadAsync(0, 10_000);
        Assert.True(read.AsSpan(0, 5000).IndexOfAnyExcept((byte)7) < 0);
        Assert.True(read.AsSpan(5000).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(Errno.EPROTO, await ErrnoOf(client.BodyAsync(Opcode.OstPunch, Range(0, 100))));
        Assert.Equal(Errno.EPROTO, await ErrnoOf(client.BodyAsync(Opcode.OstPunch, OstClient.Object())));
        Assert.Equal(Errno.EFBIG, await ErrnoOf(client.BodyAsync(Opcode.OstPunch, Range(1ul << 63, ulong.MaxValue))));
    }

    [Fact]
    public async Task A_write_built_before_a_truncate_does_not_set_times()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var order = new Nacre.Server.Ost.TimeOrder();
        order.Record(OstFixture.Fid, 10);
        Assert.False(order.Allows(OstFixture.Fid, 9));
        Assert.True(order.Allows(OstFixture.Fid, 11));
        for (uint oid = 100; oid < 300; oid++) order.Record(Stores.FidOf(oid), 5);
        Assert.True(order.Allows(OstFixture.Fid, 9));

        var punch = Range(0, ulong.MaxValue, ObdoValid.MTime);
        punch.MTime = 100;
        await client.WriteAsync(0, [1]);
        await client.BodyAsync(Opcode.OstPunch, punch);
        Assert.Equal(100, (await client.BodyAsync(Opcode.OstGetattr, OstClient.Object())).MTime);
    }

    [Fact]
    public async Task Space_is_allocated_and_freed_by_range()
    {
        await using var ost = await OstFixture.StartAsync(capacity: 64 << 20);
        var client = await ost.ConnectAsync();
        var keep = Range(0, 1 << 20);
        keep.FallocateMode = FallocateMode.KeepSize;
        var reply = await client.BodyAsync(Opcode.OstFallocate, keep);
        Assert.Equal((0ul, 2048ul), (reply.ObjectSize, reply.Blocks));
        Assert.Equal(1ul << 20, (await client.BodyAsync(Opcode.OstFallocate, Range(0, 1 << 20))).ObjectSize);
        var hole = Range(4096, 1ul << 63);
        hole.FallocateMode = FallocateMode.KeepSize | FallocateMode.PunchHole;
        reply = await client.BodyAsync(Opcode.OstFallocate, hole);
        Assert.Equal((1ul << 20, 8ul), (reply.ObjectSize, reply.Blocks));

        Assert.Equal(Errno.ENOSPC, await ErrnoOf(client.BodyAsync(Opcode.OstFallocate, Range(0, 64 << 20))));
        Assert.Equal(Errno.EINVAL, await ErrnoOf(client.BodyAsync(Opcode.OstFallocate, Range(10, 10))));
        Assert.Equal(Errno.EFBIG, await ErrnoOf(client.BodyAsync(Opcode.OstFallocate, Range(0, ulong.MaxValue))));
        Assert.Equal(Errno.EOPNOTSUPP, await ErrnoOf(client.BodyAsync(Opcode.OstFallocate, OstClient.Object())));
        var zero = Range(0, 4096);
        zero.FallocateMode = (FallocateMode)0x10;
        Assert.Equal(Errno.EOPNOTSUPP, await ErrnoOf(client.BodyAsync(Opcode.OstFallocate, zero)));
    }

    [Theory]
    [InlineData(0, 3, 409600)]
    [InlineData(0, 4, 0)]
    [InlineData(409600, 4, 413696)]
    [InlineData(413696, 3, -6)]
    [InlineData(1L << 40, 4, 1L << 40)]
    [InlineData(1L << 40, 3, -6)]
    [InlineData(long.MaxValue, 3, -6)]
    public async Task Data_and_holes_are_found(long from, uint whence, long found)
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        await client.WriteAsync(409600, new byte[4096]);
        var oa = OstClient.Object();
        oa.ObjectSize = (ulong)from;
        oa.Mode = whence;
        var reply = await client.BodyAsync(Opcode.OstSeek, oa);
        Assert.Equal(found, (long)reply.ObjectSize);
        Assert.Equal(((ObdoValid)0x1000001, whence), (reply.Valid, reply.Mode));
        oa.Mode = 0;
        Assert.Equal(Errno.EPROTO, await ErrnoOf(client.BodyAsync(Opcode.OstSeek, oa)));
    }

    [Fact]
    public async Task Statfs_shows_capacity_and_what_is_used()
    {
        await using var ost = await OstFixture.StartAsync(capacity: 1 << 30);
        var client = await ost.ConnectAsync();
        await client.WriteAsync(0, new byte[1 << 20]);
        using var reply = await client.SendAsync(new RpcCall(Opcode.OstStatfs));
        ref readonly var statfs = ref reply.Get<ObdStatfs>(1);
        Assert.Equal((4096u, 255u, 1ul << 18), (statfs.BlockSize, statfs.NameLength, statfs.Blocks));
        Assert.Equal((1ul << 18) - 256, statfs.BlocksFree);
        Assert.Equal(1ul, statfs.Files - statfs.FilesFree);
        Assert.Equal(StatfsState.None, statfs.State);
    }

    [Fact]
    public async Task A_map_has_room_for_what_was_asked()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        await client.WriteAsync(8192, new byte[4096]);
        using (var reply = await client.SendAsync(Map(3, 32 + 3 * 56)))
        {
            Assert.Equal((0, 32 + 3 * 56), (reply.Status, reply.BufferLength(1)));
            Assert.Equal(1u, reply.Get<Fiemap>(1).MappedExtents);
            var extent = MemoryMarshal.Read<FiemapExtent>(reply.Buffer(1)[32..]);
            Assert.Equal((8192ul, 4096ul, 0u), (extent.Logical, extent.Length, extent.Device));
        }
        using (var reply = await client.SendAsync(Map(0, 32))) Assert.Equal((1u, 32), (reply.Get<Fiemap>(1).MappedExtents, reply.BufferLength(1)));
        using (var reply = await client.SendAsync(Map(3, 32))) Assert.Equal(-Errno.EPROTO, reply.Status);
        using (var reply = await client.SendAsync(Map(uint.MaxValue, 4064))) Assert.Equal(-Errno.EPROTO, reply.Status);
        var unknown = new RpcCall(Opcode.OstGetInfo, 8);
        "last_id\0"u8.CopyTo(unknown.Buffer(1));
        using (var reply = await client.SendAsync(unknown)) Assert.Equal(-Errno.EOPNOTSUPP, reply.Status);
    }

    private static RpcCall Map(uint extents, int valueBytes)
    {
        var call = new RpcCall(Opcode.OstGetInfo, LlFiemapInfoKey.Size, valueBytes);
        ref var key = ref call.Get<LlFiemapInfoKey>(1);
        "fiemap"u8.CopyTo(call.Buffer(1));
        key.Oa = OstClient.Object();
        key.Fiemap = new Fiemap { Length = ulong.MaxValue, ExtentCount = extents };
        return call;
    }

    [Fact]
    public async Task Advice_is_checked_and_taken()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        await client.WriteAsync(0, new byte[8192]);
        Assert.Equal(0, await Advise(client, LadviseHdr.MagicValue, 1, LadviseKind.WillRead, 0, 4096));
        Assert.Equal(0, await Advise(client, LadviseHdr.MagicValue, 1, LadviseKind.DontNeed, 0, ulong.MaxValue));
        Assert.Equal(-Errno.EPROTO, await Advise(client, 1, 1, LadviseKind.WillRead, 0, 4096));
        Assert.Equal(-Errno.EPROTO, await Advise(client, LadviseHdr.MagicValue, uint.MaxValue, LadviseKind.WillRead, 0, 4096));
        Assert.Equal(-Errno.EPROTO, await Advise(client, LadviseHdr.MagicValue, 1, LadviseKind.WillRead, 4096, 4096));
        Assert.Equal(-Errno.ENOTSUPP, await Advise(client, LadviseHdr.MagicValue, 1, LadviseKind.LockAhead, 0, 4096));
    }

    private static async Task<int> Advise(OstClient client, uint magic, uint count, LadviseKind kind, ulong start, ulong end)
    {
        var call = new RpcCall(Opcode.OstLadvise, OstBody.Size, LadviseHdr.Size, LuLadvise.Size);
        call.Get<OstBody>(1).Oa = OstClient.Object();
        call.Get<LadviseHdr>(2) = new LadviseHdr { Magic = magic, Count = count };
        call.Get<LuLadvise>(3) = new LuLadvise { Advice = kind, Start = start, End = end };
        using var reply = await client.SendAsync(call);
        return reply.Status;
    }

    [Fact]
    public async Task Usage_is_told_by_owner()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var oa = OstClient.Object(ObdoValid.Uid);
        oa.Uid = 1000;
        await client.WriteAsync(0, new byte[8192], oa: oa);
        var call = new RpcCall(Opcode.OstQuotactl, ObdQuotactl.Size);
        call.Get<ObdQuotactl>(1) = new ObdQuotactl { Command = 0x800103, Id = 1000 };
        using (var reply = await client.SendAsync(call))
            Assert.Equal((8192ul, 1ul), (reply.Get<ObdQuotactl>(1).CurrentSpace, reply.Get<ObdQuotactl>(1).CurrentInodes));
        call.Restart(Opcode.OstQuotactl, ObdQuotactl.Size);
        call.Get<ObdQuotactl>(1).Command = 0x800101;
        using (var reply = await client.SendAsync(call)) Assert.Equal(-Errno.EOPNOTSUPP, reply.Status);
    }

    [Fact]
    public async Task Grant_is_given_back_and_other_keys_are_unknown()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        foreach (var (key, status) in new[] { ("grant_shrink\0", 0), ("evict_by_nid\0", -Errno.EOPNOTSUPP) })
        {
            var call = new RpcCall(Opcode.OstSetInfo, key.Length, OstBody.Size);
            Encoding.ASCII.GetBytes(key).CopyTo(call.Buffer(1));
            call.Get<OstBody>(2).Oa.Grant = client.Import.ConnectData.Grant;
            using var reply = await client.SendAsync(call);
            Assert.Equal(status, reply.Status);
            if (status == 0) Assert.Equal(0ul, reply.Get<OstBody>(1).Oa.Grant);
        }
        Assert.Equal(0, ost.Store.Backing.Promised);
    }

    [Fact]
    public async Task Clients_cannot_make_or_destroy_objects()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync(wanted => wanted with { Flags = wanted.Flags | ConnectFlags.Mds });
        Assert.Equal(Errno.EPERM, await ErrnoOf(client.BodyAsync(Opcode.OstCreate, OstClient.Object())));
        Assert.Equal(Errno.EPERM, await ErrnoOf(client.BodyAsync(Opcode.OstDestroy, OstClient.Object())));
        Assert.Equal(Errno.ENOTSUPP, await ErrnoOf(client.BodyAsync(11, OstClient.Object())));
    }

    [Fact]
    public async Task The_LVB_is_the_object_as_it_is()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var (status, reply, lvb) = await client.EnqueueAsync(LockMode.PR);
        Assert.Equal((0, 0ul, 0L), (status, lvb.ObjectSize, lvb.MTime));
        await client.CancelAsync(reply.LockHandle);
        var oa = OstClient.Object(ObdoValid.MTime);
        oa.MTime = 44;
        await client.WriteAsync(0, new byte[5000], oa: oa);
        (_, reply, lvb) = await client.EnqueueAsync(LockMode.PR);
        Assert.Equal((5000ul, 44L, 16ul), (lvb.ObjectSize, lvb.MTime, lvb.Blocks));
    }

    [Fact]
    public async Task Direct_io_takes_locks_from_clients()
    {
        await using var ost = await OstFixture.StartAsync();
        var holder = await ost.ConnectAsync();
        var other = await ost.ConnectAsync();
        holder.Held = (await holder.EnqueueAsync(LockMode.PW)).Reply.LockHandle;
        // The holder writes what it has cached before it gives the lock up: the direct read sees it.
        holder.BeforeCancel = () => holder.WriteAsync(0, [42]);
        var read = await other.ReadAsync(0, 4096, NiobufFlags.Read | NiobufFlags.SrvLock | NiobufFlags.NoCache);
        Assert.Equal(42, read[0]);
        Assert.Single(holder.CalledBack);
        Assert.Equal(0, ost.Target.Locks.LockCount);
    }

    [Fact]
    public async Task Requests_can_ask_for_a_server_lock()
    {
        await using var ost = await OstFixture.StartAsync();
        var holder = await ost.ConnectAsync();
        var other = await ost.ConnectAsync();
        holder.Held = (await holder.EnqueueAsync(LockMode.PW)).Reply.LockHandle;
        holder.BeforeCancel = () => holder.WriteAsync(0, new byte[10]);
        var oa = OstClient.Object(ObdoValid.Flags);
        oa.Flags = ObdoFlags.SrvLock;
        Assert.Equal(10ul, (await other.BodyAsync(Opcode.OstGetattr, oa)).ObjectSize);
        Assert.Single(holder.CalledBack);
    }

    [Fact]
    public async Task Destroying_makes_holders_discard_and_late_writes_fail()
    {
        await using var ost = await OstFixture.StartAsync();
        var holder = await ost.ConnectAsync();
        await holder.WriteAsync(0, new byte[100]);
        holder.Held = (await holder.EnqueueAsync(LockMode.PW)).Reply.LockHandle;
        await ost.Target.DestroyAsync(OstFixture.Fid, default).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.NotEqual(LdlmFlags.None, holder.CalledBack.Single() & LdlmFlags.DiscardData);
        Assert.Equal(0, ost.Store.Space().Objects);
        Assert.Equal(Errno.ENOENT, await ErrnoOf(holder.WriteAsync(0, [1])));
        Assert.Equal(Errno.ENOENT, await ErrnoOf(holder.EnqueueAsync(LockMode.PR)));
        Assert.Equal(Errno.ENOENT, await ErrnoOf(holder.BodyAsync(Opcode.OstSetattr, OstClient.Object(ObdoValid.MTime))));
        Assert.Equal(0, ost.Store.Space().Objects);
    }
}
