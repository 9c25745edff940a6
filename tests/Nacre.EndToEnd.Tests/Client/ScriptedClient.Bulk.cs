using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>OST_READ and OST_WRITE of one object (06 section 4), as the captured client fills them (06 section 18.1).</summary>
public sealed partial class ScriptedClient
{
    private const int PageSize = 4096;
    private const int ShortIoBytes = 16384;
    private const ObdoValid WriteValid = (ObdoValid)0x018000000b184f2d;
    private const ObdoValid ReadValid = (ObdoValid)0x008000000b184f2f;
    private const NiobufFlags CachedWrite = (NiobufFlags)0x40420;
    private const NiobufFlags SyncWrite = (NiobufFlags)0x40000;
    private const NiobufFlags CachedRead = (NiobufFlags)0x40009;
    private const uint WantedGrant = 0xb3a0000;

    private async Task WriteObjectAsync(ObjectServer ost, DirtyData dirty)
    {
        for (var done = 0; done < dirty.Bytes.Length;)
        {
            // Only the last fragment may end inside a page, only the first start inside one (06 section 4.4).
            var offset = dirty.Offset + (ulong)done;
            var room = ost.BrwSize - (int)(offset % PageSize);
            var count = Math.Min(room, dirty.Bytes.Length - done);
            await WriteOnceAsync(ost, dirty.Stripe, offset, dirty.Bytes.AsMemory(done, count));
            done += count;
        }
    }

    private async Task WriteOnceAsync(ObjectServer ost, Stripe stripe, ulong offset, Memory<byte> data)
    {
        var isShort = data.Length <= ShortIoBytes && ost.Import.ConnectData.Has(ConnectFlags.Shortio);
        var call = NewBulkCall(Opcode.OstWrite, ost, stripe, offset, data.Length, isShort, isShort ? data.Length : 0);
        var consumed = ost.TryConsume(data.Length);
        ref var obdo = ref call.Get<Obdo>(1);
        obdo.Valid = WriteValid & ~ObdoValid.Handle;
        obdo.MTime = obdo.CTime = Now();
        obdo.Grant = (ulong)ost.Grant;
        obdo.GrantUsed = consumed;
        obdo.Checksum = BrwChecksum.Compute(BrwChecksumType.Crc32C, data.Span);
        call.Get<NiobufRemote>(3).Flags = consumed > 0 ? CachedWrite : SyncWrite;
        if (isShort)
        {
            data.Span.CopyTo(call.Buffer(5));
        }
        else
        {
            SetBulk(call, BulkDirection.Write, ost, data);
        }

        using var reply = await SendAsync(ost.Import, call);
        var answer = reply.Get<Obdo>(1);
        if (answer.Has(ObdoValid.Grant))
        {
            ost.AddGrant(answer.Grant);
        }

        CheckWrite(reply, call.Get<Obdo>(1).Checksum);
    }

    private static void CheckWrite(RpcReply reply, uint checksum)
    {
        var answer = reply.Get<Obdo>(1);
        if (reply.Status != 0 || reply.BufferLength(2) != sizeof(int) || reply.Transno == 0)
        {
            throw new RpcException(Errno.EPROTO, message: $"write answered {reply.Status}, {reply.BufferLength(2)} bytes of results");
        }

        if (reply.Get<int>(2) is var error and < 0)
        {
            throw new RpcException(-error);
        }

        if (answer.Has(ObdoValid.Checksum) && answer.Checksum != checksum)
        {
            throw new RpcException(Errno.EIO, message: "the server received other bytes");
        }
    }

    /// <summary>The bytes of an object range; what lies behind the object's end is zero.</summary>
    private async Task<byte[]> ReadObjectAsync(Stripe stripe, HeldLock held, ulong offset, int length)
    {
        var ost = ServerOf(stripe);
        var result = new byte[length];
        for (var done = 0; done < length;)
        {
            // Reads are whole pages, as those of a page cache.
            var start = (offset + (ulong)done) & ~(ulong)(PageSize - 1);
            var skip = (int)(offset + (ulong)done - start);
            var wanted = Math.Min(ost.BrwSize, (skip + length - done + PageSize - 1) & -PageSize);
            var bytes = await ReadOnceAsync(ost, stripe, held, start, wanted);
            var part = Math.Min(wanted - skip, length - done);
            bytes.AsSpan(skip, part).CopyTo(result.AsSpan(done));
            done += part;
        }

        return result;
    }

    private async Task<byte[]> ReadOnceAsync(ObjectServer ost, Stripe stripe, HeldLock held, ulong offset, int length)
    {
        var isShort = length <= ShortIoBytes && ost.Import.ConnectData.Has(ConnectFlags.Shortio);
        var call = NewBulkCall(Opcode.OstRead, ost, stripe, offset, length, isShort, 0);
        ref var obdo = ref call.Get<Obdo>(1);
        obdo.Valid = ReadValid;
        obdo.Handle = held.ServerHandle;
        call.Get<NiobufRemote>(3).Flags = CachedRead;
        var buffer = new byte[length];
        if (isShort)
        {
            call.ReplyBytes = 1024 + length;
        }
        else
        {
            SetBulk(call, BulkDirection.Read, ost, buffer);
        }

        using var reply = await SendAsync(ost.Import, call);
        var got = isShort ? reply.BufferLength(2) : reply.BulkBytes;
        if (got != reply.Status || got > length)
        {
            throw new RpcException(Errno.EPROTO, message: $"read answered {reply.Status} and brought {got} bytes");
        }

        if (isShort)
        {
            reply.Buffer(2).CopyTo(buffer);
        }

        var answer = reply.Get<Obdo>(1);
        if (answer.Has(ObdoValid.Checksum) && answer.Checksum != BrwChecksum.Compute(BrwChecksum.TypeOf(answer.Flags), buffer.AsSpan(0, got)))
        {
            throw new RpcException(Errno.EIO, message: "other bytes arrived than were sent");
        }

        return buffer;
    }

    private static RpcCall NewBulkCall(uint opcode, ObjectServer ost, Stripe stripe, ulong offset, int length, bool isShort, int inlineBytes)
    {
        var call = new RpcCall(opcode, Obdo.Size, ObdIoobj.Size, NiobufRemote.Size, 0, inlineBytes);
        ref var obdo = ref call.Get<Obdo>(1);
        stripe.Fill(ref obdo);
        obdo.Undirty = WantedGrant;
        obdo.Flags = (ObdoFlags)(uint)BrwChecksumType.Crc32C | (isShort ? ObdoFlags.ShortIo : ObdoFlags.None);
        call.Get<ObdIoobj>(2) = new ObdIoobj
        {
            Oid = obdo.Oi,
            MaxBrw = isShort ? 0xffff0000 : (uint)(MdsPerRpc(ost) - 1) << 16,
            BufferCount = 1,
        };
        call.Get<NiobufRemote>(3) = new NiobufRemote { Offset = offset, Length = (uint)length };
        return call;
    }

    private static int MdsPerRpc(ObjectServer ost) => Math.Max(1, ost.BrwSize / BulkSplit.MaxMdBytes);

    private static void SetBulk(RpcCall call, BulkDirection direction, ObjectServer ost, Memory<byte> data)
    {
        Span<int> lengths = stackalloc int[MdsPerRpc(ost)];
        var count = BulkSplit.Compute([call.Get<NiobufRemote>(3)], PageSize, lengths);
        var buffers = new Memory<byte>[count];
        for (var i = 0; i < count; i++)
        {
            buffers[i] = data[..lengths[i]];
            data = data[lengths[i]..];
        }

        call.SetBulk(direction, Portal.OstBulk, buffers, lengths.Length);
    }
}
