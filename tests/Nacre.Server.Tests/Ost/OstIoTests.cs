using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

public class OstIoTests
{
    private static byte[] Data(int length, int seed = 1)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    private static async Task<int> ErrnoOf(Task task) => (await Assert.ThrowsAsync<FsException>(() => task)).Errno;

    [Theory]
    [InlineData(0, 4 << 20)]
    [InlineData(0, 1)]
    [InlineData(3096, 2 << 20)]
    [InlineData(123, 4567)]
    [InlineData((1L << 43) + 4096, 65536)]
    public async Task What_is_written_is_read(long offset, int length)
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var data = Data(length);
        await client.WriteAsync(offset, data);
        var read = await client.ReadAsync(offset, length);
        Assert.Equal(data, read);
        var attributes = await client.BodyAsync(Opcode.OstGetattr, OstClient.Object());
        Assert.Equal((ulong)(offset + length), attributes.ObjectSize);
    }

    [Fact]
    public async Task Many_niobufs_make_one_transfer()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var niobufs = Enumerable.Range(0, 256).Select(i => OstClient.Niobuf(i * 12288, 4096)).ToArray();
        var data = Data(256 * 4096);
        using (var reply = await client.BulkAsync(Opcode.OstWrite, OstClient.Object(), niobufs, data))
        {
            Assert.Equal(0, reply.Status);
            Assert.Equal(4 * 256, reply.BufferLength(2));
            Assert.NotEqual(0ul, reply.Transno);
            Assert.True(reply.LastCommitted >= reply.Transno);
        }
        var back = new byte[data.Length];
        using (var reply = await client.BulkAsync(Opcode.OstRead, OstClient.Object(), niobufs, back)) Assert.Equal(data.Length, reply.Status);
        Assert.Equal(data, back);
        // Between them are holes.
        Assert.Equal(new byte[8192], await client.ReadAsync(4096, 8192));
    }

    [Fact]
    public async Task Reads_end_with_the_page_that_contains_the_end_of_the_object()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        Assert.Empty(await client.ReadAsync(0, 4 << 20));
        await client.WriteAsync(0, [1, 2, 3, 4]);
        var page = await client.ReadAsync(0, 4096);
        Assert.Equal(4096, page.Length);
        Assert.Equal([1, 2, 3, 4, 0, 0], page[..6]);
        Assert.Equal(4096, (await client.ReadAsync(0, 3 << 20)).Length);
        Assert.Equal(100, (await client.ReadAsync(0, 100)).Length);
        Assert.Empty(await client.ReadAsync(4096, 4096));
        Assert.Empty(await client.ReadAsync(1L << 62, 4096));
        // Captured: 131077 bytes give 135168.
        await client.WriteAsync(131072, Data(5));
        Assert.Equal(135168, (await client.ReadAsync(0, 256 << 10)).Length);
    }

    [Fact]
    public async Task Sparse_reads_are_zeros()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        await client.WriteAsync(9 << 20, new byte[] { 5 });
        Assert.Equal(new byte[4 << 20], await client.ReadAsync(0, 4 << 20));
    }

    [Theory]
    [InlineData(BrwChecksumType.Adler)]
    [InlineData(BrwChecksumType.Crc32)]
    [InlineData(BrwChecksumType.Crc32C)]
    public async Task Checksums_cover_what_is_transferred(BrwChecksumType type)
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var data = Data(2_500_000);
        var oa = OstClient.Object(ObdoValid.Checksum | ObdoValid.Flags);
        oa.Flags = (ObdoFlags)(uint)type;
        oa.Checksum = BrwChecksum.Compute(type, data);
        using (var reply = await client.BulkAsync(Opcode.OstWrite, oa, [OstClient.Niobuf(0, data.Length)], data))
            Assert.Equal((oa.Checksum, oa.Flags), (reply.Get<OstBody>(1).Oa.Checksum, reply.Get<OstBody>(1).Oa.Flags));

        // A wrong one does not stop the write: the client sees the server's value.
        var wrong = oa;
        wrong.Checksum++;
        using (var reply = await client.BulkAsync(Opcode.OstWrite, wrong, [OstClient.Niobuf(0, data.Length)], data))
            Assert.Equal((0, oa.Checksum), (reply.Status, reply.Get<OstBody>(1).Oa.Checksum));

        var back = new byte[3_000_000];
        using (var reply = await client.BulkAsync(Opcode.OstRead, oa, [OstClient.Niobuf(0, back.Length)], back))
        {
            ref readonly var body = ref reply.Get<OstBody>(1).Oa;
            Assert.Equal(ObdoValid.Checksum | ObdoValid.Flags, body.Valid);
            Assert.Equal(BrwChecksum.Compute(type, back.AsSpan(0, reply.Status)), body.Checksum);
        }
    }

    [Fact]
    public async Task Short_transfers_are_inside_the_messages()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var oa = OstClient.Object(ObdoValid.Flags | ObdoValid.Checksum);
        oa.Flags = ObdoFlags.ShortIo | (ObdoFlags)(uint)BrwChecksumType.Crc32C;
        foreach (int length in new[] { 1, 4, 4096, 16384, 100_000 })
        {
            var data = Data(length);
            oa.Checksum = BrwChecksum.Compute(BrwChecksumType.Crc32C, data);
            var write = OstClient.Brw(Opcode.OstWrite, oa, [OstClient.Niobuf(4096, length)], length, 65536);
            data.CopyTo(write.Buffer(5));
            using (var reply = await client.SendAsync(write))
            {
                Assert.Equal(0, reply.Status);
                Assert.Equal(oa.Checksum, reply.Get<OstBody>(1).Oa.Checksum);
            }
            var read = OstClient.Brw(Opcode.OstRead, oa, [OstClient.Niobuf(4096, length)], 0, 65536);
            using (var reply = await client.SendAsync(read))
            {
                Assert.Equal((length, length), (reply.Status, reply.BufferLength(2)));
                Assert.Equal(data, reply.Buffer(2).ToArray());
                Assert.Equal(oa.Checksum, reply.Get<OstBody>(1).Oa.Checksum);
            }
        }
        using var beyond = await client.SendAsync(OstClient.Brw(Opcode.OstRead, oa, [OstClient.Niobuf(1 << 30, 4096)], 0, 65536));
        Assert.Equal((0, 0), (beyond.Status, beyond.BufferLength(2)));
    }

    public static TheoryData<ulong[], int, int> HostileNiobufs => new()
    {
        { [0, 0], 4, Errno.EPROTO },
        { [4096, 4096, 0, 4096], 4, Errno.EPROTO },
        { [0, 8192, 4096, 4096], 4, Errno.EPROTO },
        { [0, 4096, 0, 4096], 4, Errno.EPROTO },
        { [0, (4 << 20) + 1], 4, Errno.EPROTO },
        { [0, uint.MaxValue], 4, Errno.EPROTO },
        { [ulong.MaxValue - 100, 4096], 4, Errno.EFBIG },
        { [long.MaxValue - 100, 4096], 4, Errno.EFBIG },
        { [long.MaxValue - 8192, 4096], 4, Errno.EFBIG },
        { [0, 4096], 3, Errno.EPROTO },
        { [0, 4096], 65536, Errno.EPROTO },
        { [], 4, Errno.EPROTO },
    };

    [Theory]
    [MemberData(nameof(HostileNiobufs))]
    public async Task Malformed_requests_are_refused(ulong[] niobufs, int maxMds, int errno)
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var list = niobufs.Chunk(2).Select(n => new NiobufRemote { Offset = n[0], Length = (uint)n[1], Flags = NiobufFlags.Async }).ToArray();
        using (var reply = await client.SendAsync(OstClient.Brw(Opcode.OstWrite, OstClient.Object(), list, 0, maxMds)))
            Assert.Equal(-errno, reply.Status);
        await client.WriteAsync(0, [1]);
    }

    [Fact]
    public async Task Counts_that_do_not_fit_the_buffers_are_refused()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        foreach (uint count in new uint[] { 0, 2, 16385, uint.MaxValue })
        {
            var call = OstClient.Brw(Opcode.OstRead, OstClient.Object(), [OstClient.Niobuf(0, 4096)]);
            call.Get<ObdIoobj>(2).BufferCount = count;
            using var reply = await client.SendAsync(call);
            Assert.Equal(-Errno.EPROTO, reply.Status);
        }
        // More MDs announced than the niobufs give, and fewer.
        foreach (int announced in new[] { 1, 3 })
        {
            var call = OstClient.Brw(Opcode.OstRead, OstClient.Object(), [OstClient.Niobuf(0, 2 << 20)]);
            call.SetBulk(BulkDirection.Read, Portal.OstBulk, Enumerable.Range(0, announced).Select(_ => (Memory<byte>)new byte[1 << 20]).ToArray(), 4);
            using var reply = await client.SendAsync(call);
            Assert.Equal(-Errno.EPROTO, reply.Status);
        }
        var inline = OstClient.Object(ObdoValid.Flags);
        inline.Flags = ObdoFlags.ShortIo;
        using (var reply = await client.SendAsync(OstClient.Brw(Opcode.OstWrite, inline, [OstClient.Niobuf(0, 100)], 99, 65536)))
            Assert.Equal(-Errno.EPROTO, reply.Status);
        using (var reply = await client.SendAsync(OstClient.Brw(Opcode.OstRead, inline, [OstClient.Niobuf(0, 10 << 20)], 0, 65536)))
            Assert.Equal(-Errno.EPROTO, reply.Status);
    }

    [Fact]
    public async Task Objects_that_cannot_exist_are_not_made()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        var otherOst = new LuFid(Nacre.Server.Ost.ObjectSequences.First(1), 7);
        Assert.Equal(Errno.ENOENT, await ErrnoOf(client.WriteAsync(0, [1], oa: OstClient.Object(fid: otherOst))));
        Assert.Equal(Errno.ENOENT, await ErrnoOf(client.WriteAsync(0, [1], oa: OstClient.Object(fid: new LuFid(0x2_0000_0401, 7)))));
        Assert.Equal(Errno.EPROTO, await ErrnoOf(client.WriteAsync(0, [1], oa: new Obdo { Valid = ObdoValid.Id })));
        Assert.Equal(Errno.EPROTO, await ErrnoOf(client.WriteAsync(0, [1], oa: OstClient.Object() with { Valid = ObdoValid.Group })));
        Assert.Equal(0, ost.Store.Space().Objects);
    }

    [Fact]
    public async Task Direct_writes_are_on_the_disk_before_the_reply()
    {
        var disk = new MemoryObjectFiles(1 << 30);
        await using var ost = await OstFixture.StartAsync(disk);
        var client = await ost.ConnectAsync();
        await client.WriteAsync(0, [1, 2, 3], NiobufFlags.Write | NiobufFlags.Sync);
        disk.Fault = (call, _) => call is DiskCall.Sync or DiskCall.SyncAll or DiskCall.SyncNames ? Errno.EIO : 0;
        Assert.Equal(Errno.EIO, await ErrnoOf(client.WriteAsync(0, [4, 5, 6], NiobufFlags.Write | NiobufFlags.Sync)));
        disk.DropUnflushed();
        Assert.Equal(3, disk.Open(new ObjectKey(OstFixture.Fid.Sequence, OstFixture.Fid.ObjectId))!.Status().Size);
        var bytes = new byte[3];
        disk.Open(new ObjectKey(OstFixture.Fid.Sequence, OstFixture.Fid.ObjectId))!.Read(0, bytes, false);
        Assert.Equal([1, 2, 3], bytes);
        disk.Fault = null;
    }

    [Fact]
    public async Task Synced_data_survives_a_power_cut()
    {
        var disk = new MemoryObjectFiles(1 << 30);
        await using var ost = await OstFixture.StartAsync(disk);
        var client = await ost.ConnectAsync();
        await client.WriteAsync(0, [1, 2, 3]);
        var oa = OstClient.Object(ObdoValid.Size | ObdoValid.Blocks);
        oa.Blocks = long.MaxValue;
        var reply = await client.BodyAsync(Opcode.OstSync, oa);
        Assert.Equal(3ul, reply.ObjectSize);
        disk.DropUnflushed();
        Assert.Equal(3, disk.Open(new ObjectKey(OstFixture.Fid.Sequence, OstFixture.Fid.ObjectId))!.Status().Size);
    }

    [Fact]
    public async Task A_full_target_is_ENOSPC_without_grant_and_never_with_it()
    {
        await using var ost = await OstFixture.StartAsync(capacity: 64 << 20);
        var client = await ost.ConnectAsync();
        long granted = client.Import.ConnectData.Grant;
        Assert.InRange(granted, 4096, 16 << 20);
        int errno = 0;
        long at = 0;
        for (; errno == 0 && at < 128 << 20; at += 1 << 20)
        {
            try { await client.WriteAsync(at, new byte[1 << 20], NiobufFlags.Write | NiobufFlags.Sync); }
            catch (FsException e) { errno = e.Errno; }
        }
        Assert.Equal(Errno.ENOSPC, errno);
        Assert.True(at > 32 << 20);
        // What was promised before is still accepted: the server pays for it out of the grant.
        const int Length = 1 << 20, Tax = 24 << 10;
        for (long used = 0; used + Length + Tax <= granted; used += Length + Tax)
        {
            var oa = OstClient.Object(ObdoValid.Grant | ObdoValid.Blocks);
            oa.GrantUsed = Length + Tax;
            await client.WriteAsync((1L << 30) + used, new byte[Length], NiobufFlags.Async | NiobufFlags.FromGrant, oa);
        }
        // Overwriting needs no space.
        await client.WriteAsync(0, new byte[1 << 20], NiobufFlags.Write | NiobufFlags.Sync);
        Assert.True(ost.Store.Space().Used <= 64 << 20);
    }

    [Fact]
    public async Task Grant_comes_with_write_replies_and_goes_with_the_client()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync();
        uint first = client.Import.ConnectData.Grant;
        Assert.Equal(2u * ((4 << 20) + (24 << 10)), first);
        var oa = OstClient.Object(ObdoValid.Grant | ObdoValid.Blocks);
        oa.GrantUsed = 1 << 20;
        oa.Grant = first - (1 << 20);
        oa.Undirty = 1 << 28;
        using (var reply = await client.BulkAsync(Opcode.OstWrite, oa, [OstClient.Niobuf(0, 1 << 19, NiobufFlags.Async | NiobufFlags.FromGrant)], new byte[1 << 19]))
        {
            ref readonly var body = ref reply.Get<OstBody>(1).Oa;
            Assert.Equal(ObdoValid.Blocks | ObdoValid.Grant, body.Valid);
            Assert.Equal(first, body.Grant);
            Assert.Equal((1ul << 19) / 512, body.Blocks);
        }
        // Reads bring no grant, and accept what is given back.
        oa.Flags = ObdoFlags.ShrinkGrant;
        oa.Valid |= ObdoValid.Flags;
        oa.Grant = 1 << 20;
        using (var reply = await client.BulkAsync(Opcode.OstRead, oa, [OstClient.Niobuf(0, 4096)], new byte[4096]))
            Assert.Equal((ObdoValid.Grant, 0ul), (reply.Get<OstBody>(1).Oa.Valid, reply.Get<OstBody>(1).Oa.Grant));
        Assert.True(ost.Store.Backing.Promised > 0);
        await client.Import.DisconnectAsync();
        Assert.Equal(0, ost.Store.Backing.Promised);
    }

    [Fact]
    public async Task Parallel_clients_move_more_than_the_pool_holds()
    {
        await using var ost = await OstFixture.StartAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ost.ConnectAsync()));
        await Task.WhenAll(clients.SelectMany((client, c) => Enumerable.Range(0, 8).Select(async i =>
        {
            long offset = (c * 8L + i) * (4 << 20);
            var data = Data(4 << 20, c * 8 + i);
            await client.WriteAsync(offset, data);
            var read = await client.ReadAsync(offset, data.Length);
            Assert.True(data.AsSpan().SequenceEqual(read));
        })));
        Assert.Equal(0, ost.Server.Bulk.InUse);
    }

    [Fact]
    public async Task Read_only_clients_cannot_change_anything()
    {
        await using var ost = await OstFixture.StartAsync();
        var client = await ost.ConnectAsync(wanted => wanted with { Flags = wanted.Flags | ConnectFlags.Rdonly });
        Assert.Equal(0u, client.Import.ConnectData.Grant);
        Assert.Equal(Errno.EROFS, await ErrnoOf(client.WriteAsync(0, [1])));
        Assert.Empty(await client.ReadAsync(0, 4096));
    }
}
