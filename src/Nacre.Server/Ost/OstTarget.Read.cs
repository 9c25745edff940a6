using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Ost;

// OST_READ (06 section 4.5).
public sealed partial class OstTarget
{
    /// <summary>Bytes read and summed at a time: what stays in the processor's second-level cache.</summary>
    private const int HotBytes = 256 << 10;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadAsync(RpcRequest request)
    {
        var call = ParseBrw(request);
        RefreshLocks(request, call);
        if (request.Get<OstBody>(BodyIndex).Oa.HasFlags(ObdoFlags.NoRpc))
        {
            request.StartReply(OstBody.Size, 0);
            return;
        }
        using var held = call.IsServerLocked ? await LockForBrwAsync(request, call, LockMode.PR).ConfigureAwait(false) : null;
        using var stored = _store.Open(call.Fid);
        if (call.IsShort) await ReadInlineAsync(request, call, stored).ConfigureAwait(false);
        else await ReadBulkAsync(request, call, stored).ConfigureAwait(false);
        RefreshLocks(request, call);
    }

    /// <summary>Short I/O: the data is the reply's second buffer, whose length must equal the status (06 section 4.7).</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadInlineAsync(RpcRequest request, BrwCall call, IStoredObject stored)
    {
        int pageSize = StateOf(request.Export).PageSize;
        request.StartReply(OstBody.Size, BytesToSend(NiobufsOf(request, call), stored.Attributes.Size, pageSize));
        if (!TryFill(request, call, stored, onlyCached: true))
        {
            await Task.Yield();
            TryFill(request, call, stored, onlyCached: false);
        }
        var data = request.ReplyBuffer(2);
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        uint checksum = WantsChecksum(oa) ? BrwChecksum.Compute(BrwChecksum.TypeOf(oa.Flags), data) : 0;
        FinishRead(request, data.Length, checksum);
    }

    private static bool TryFill(RpcRequest request, in BrwCall call, IStoredObject stored, bool onlyCached)
    {
        var left = request.ReplyBuffer(2);
        foreach (ref readonly var niobuf in NiobufsOf(request, call))
        {
            var piece = left[..(int)Math.Min(niobuf.Length, (uint)left.Length)];
            if (!TryReadFully(stored, (long)niobuf.Offset, piece, onlyCached)) return false;
            left = left[piece.Length..];
        }
        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadBulkAsync(RpcRequest request, BrwCall call, IStoredObject stored)
    {
        using var context = _contexts.Rent();
        Split(request, context, call);
        int bytes = BytesToSend(NiobufsOf(request, call), stored.Attributes.Size, StateOf(request.Export).PageSize);
        await context.RentAsync(_server.Bulk, request.BulkShare, bytes, request.Aborted).ConfigureAwait(false);
        if (IsAbandoned(request))
        {
            request.Drop();
            return;
        }
        // The disk may be slow, and even the page cache takes a while for this much: not on the connection's loop.
        if (bytes > 0) await Task.Yield();
        uint checksum = FillSources(request, call, stored, context, bytes);
        await request.PushBulkAsync(Portal.OstBulk, context.Sources, call.MaxMds).ConfigureAwait(false);
        request.StartReply(OstBody.Size, 0);
        FinishRead(request, bytes, checksum);
    }

    /// <summary>Reads the first <paramref name="bytes"/> of the bulk into the buffers, and sums them while they are hot.</summary>
    private uint FillSources(RpcRequest request, in BrwCall call, IStoredObject stored, BrwContext context, int bytes)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        bool sum = WantsChecksum(oa);
        if (sum) context.Checksum.Start(BrwChecksum.TypeOf(oa.Flags));
        int md = 0, at = 0;
        foreach (ref readonly var niobuf in NiobufsOf(request, call))
        {
            long offset = (long)niobuf.Offset;
            for (int left = (int)Math.Min(niobuf.Length, (uint)bytes); left > 0;)
            {
                var buffer = context.Sinks.Span[md].Span[at..];
                var piece = buffer[..Math.Min(left, Math.Min(buffer.Length, HotBytes))];
                TryReadFully(stored, offset, piece, onlyCached: false);
                if (sum) context.Checksum.Append(piece);
                offset += piece.Length;
                left -= piece.Length;
                bytes -= piece.Length;
                at += piece.Length;
                if (at != context.Sinks.Span[md].Length) continue;
                md++;
                at = 0;
            }
        }
        return sum ? context.Checksum.Value : 0;
    }

    /// <summary>Behind the end of the object there are zeros. False when onlyCached and the disk would have to be waited for.</summary>
    private static bool TryReadFully(IStoredObject stored, long offset, Span<byte> into, bool onlyCached)
    {
        int read = stored.Read(offset, into, onlyCached);
        if (read < 0) return false;
        into[read..].Clear();
        return true;
    }

    /// <summary>
    /// Bytes of the bulk that lie in fragments beginning before the end of the object: the last is sent whole, with zeros
    /// behind the end (06 section 4.5).
    /// </summary>
    private static int BytesToSend(ReadOnlySpan<NiobufRemote> niobufs, long size, int pageSize)
    {
        // Without overflow: an object ends well below 2^63 - 1, or exactly there on XFS.
        ulong end = ((ulong)size + (ulong)pageSize - 1) & ~((ulong)pageSize - 1);
        ulong bytes = 0;
        foreach (ref readonly var niobuf in niobufs)
        {
            if (niobuf.Offset >= (ulong)size) break;
            bytes += Math.Min(niobuf.End, end) - niobuf.Offset;
        }
        return (int)bytes;
    }

    private bool WantsChecksum(in Obdo oa) => _options.Checksums && oa.Has(ObdoValid.Checksum);

    /// <summary>Status and body; nothing of the request is echoed.</summary>
    private void FinishRead(RpcRequest request, int bytes, uint checksum)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        ref var reply = ref request.Reply<OstBody>(1).Oa;
        if (WantsChecksum(oa)) ReturnChecksum(ref reply, BrwChecksum.TypeOf(oa.Flags), checksum);
        // o_grant 0: nothing more, and a shrink is accepted.
        if (TakeGrantNews(request, oa)) reply.Valid |= ObdoValid.Grant;
        request.Status = bytes;
    }
}
