using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Ost;

// OST_WRITE (06 section 4.6).
public sealed partial class OstTarget
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync(RpcRequest request)
    {
        var call = ParseBrw(request);
        RefreshLocks(request, call);
        using var held = call.IsServerLocked ? await LockForBrwAsync(request, call, LockMode.PW).ConfigureAwait(false) : null;
        if (IsAbandoned(request))
        {
            request.Drop();
            return;
        }
        using var stored = _store.Open(call.Fid);
        if (call.End > _store.MaxObjectBytes) throw new FsException(Errno.EFBIG);

        bool speaksGrant = TakeGrantNews(request, request.Get<OstBody>(BodyIndex).Oa);
        var use = await TakeSpaceAsync(request, call, stored).ConfigureAwait(false);
        bool answered = false;
        try
        {
            answered = call.IsShort
                ? await WriteInlineAsync(request, call, stored).ConfigureAwait(false)
                : await WriteBulkAsync(request, call, stored).ConfigureAwait(false);
        }
        catch (FsException e)
        {
            answered = true;
            if (_diskLines.TryEnter(out var suppressed)) LogDiskError(Uuid, "write", call.Fid, e.Errno, suppressed);
            // Clients parse the body of this one error (06 section 4.10).
            if (e.Errno != Errno.EDQUOT) throw;
            request.StartReply(OstBody.Size, sizeof(int) * call.Niobufs);
            request.Status = -Errno.EDQUOT;
        }
        finally
        {
            if (answered) _grants.EndWrite(use);
            else _grants.GiveBack(StateOf(request.Export).Grant, use);
        }
        if (speaksGrant && request.ReplyStarted) GiveMoreGrant(request);
        RefreshLocks(request, call);
    }

    /// <summary>
    /// Grant and free space for the write (06 section 5.4). ENOSPC when there is not enough for what no grant covers, unless
    /// that only overwrites what has blocks. A write that says it is a resend may have been paid for already: what the first
    /// copy brought to the disk costs nothing again, the rest is judged like any other.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<GrantUse> TakeSpaceAsync(RpcRequest request, BrwCall call, IStoredObject stored)
    {
        bool resent = request.IsResent || request.IsReplay
            || request.Get<OstBody>(BodyIndex).Oa.HasFlags(ObdoFlags.RecoverableResend);
        if (!resent && TryTakeSpace(request, call, null, false, out var use)) return use;
        // Rare, and asks the disk.
        await Task.Yield();
        if (!resent) _store.RefreshSpace();
        if (TryTakeSpace(request, call, stored, resent, out use)) return use;
        if (!resent) throw new FsException(Errno.ENOSPC);
        _store.RefreshSpace();
        return TryTakeSpace(request, call, stored, resent, out use) ? use : throw new FsException(Errno.ENOSPC);
    }

    /// <param name="onDisk">Where to look for blocks that are there already, which cost nothing; null not to look.</param>
    /// <param name="resent">What is announced may have been taken by the first copy of this write.</param>
    private bool TryTakeSpace(RpcRequest request, in BrwCall call, IStoredObject? onDisk, bool resent, out GrantUse use)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        bool speaksGrant = request.Export.Has(ConnectFlags.Grant) && oa.Has(ObdoValid.Grant);
        var demand = new WriteDemand();
        long paid = 0;
        foreach (ref readonly var niobuf in NiobufsOf(request, call))
        {
            if (onDisk != null && HasBlocks(onDisk, niobuf)) paid += _grants.Cost(niobuf);
            else _grants.Add(ref demand, niobuf, speaksGrant);
        }
        if (speaksGrant) demand.Announced = Math.Max(0, (long)Math.Min(oa.GrantUsed, uint.MaxValue) - (resent ? paid : 0));
        return _grants.TryBeginWrite(StateOf(request.Export).Grant, demand, out use);
    }

    private static bool HasBlocks(IStoredObject stored, in NiobufRemote niobuf)
    {
        try
        {
            return stored.AllocatedBytes((long)niobuf.Offset, (long)niobuf.End) == niobuf.Length;
        }
        catch (FsException e) when (e.Errno == Errno.EOPNOTSUPP)
        {
            return false; // A file system that cannot tell.
        }
    }

    /// <summary>Short I/O: the data is in the request.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WriteInlineAsync(RpcRequest request, BrwCall call, IStoredObject stored)
    {
        if (request.BufferLength(ShortIoIndex) != call.Total) throw Protocol("inline data of another length");
        if (call.Total > InlineBytes || !call.IsAsync || stored.IsFlushing) await Task.Yield();
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        uint checksum = WantsChecksum(oa)
            ? BrwChecksum.Compute(BrwChecksum.TypeOf(oa.Flags), request.Buffer(ShortIoIndex))
            : oa.Checksum;
        return await ApplyAsync(request, call, stored, null, checksum).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WriteBulkAsync(RpcRequest request, BrwCall call, IStoredObject stored)
    {
        using var context = _contexts.Rent();
        Split(request, context, call);
        await context.RentAsync(_server.Bulk, request.BulkShare, call.Total, request.Aborted).ConfigureAwait(false);
        await request.PullBulkAsync(Portal.OstBulk, context.Sinks, call.MaxMds).ConfigureAwait(false);
        if (MayBeOnReceiveLoop(context.Sinks.Span)) await Task.Yield();
        uint checksum = SumSinks(request.Get<OstBody>(BodyIndex).Oa, context);
        return await ApplyAsync(request, call, stored, context, checksum).ConfigureAwait(false);
    }

    /// <summary>A small transfer that is the last to arrive ends on its connection's loop, which has more to receive.</summary>
    private static bool MayBeOnReceiveLoop(ReadOnlySpan<Memory<byte>> sinks)
    {
        foreach (var sink in sinks)
        {
            if (sink.Length <= ILNet.InPlaceBytes) return true;
        }
        return false;
    }

    private uint SumSinks(in Obdo oa, BrwContext context)
    {
        if (!WantsChecksum(oa)) return oa.Checksum;
        context.Checksum.Start(BrwChecksum.TypeOf(oa.Flags));
        foreach (var sink in context.Sinks.Span) context.Checksum.Append(sink.Span);
        return context.Checksum.Value;
    }

    /// <summary>
    /// Puts the data into the object. A wrong checksum does not stop it: the client sees the server's value and sends again
    /// (06 section 4.8). False when nothing was applied because nobody waits for this copy any more.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ApplyAsync(RpcRequest request, BrwCall call, IStoredObject stored, BrwContext? context, uint checksum)
    {
        using (await stored.LockRangeAsync(call.Start, call.End, request.Aborted).ConfigureAwait(false))
        {
            // Under the range lock: a copy sent later has not been applied before this is known.
            if (IsAbandoned(request))
            {
                request.Drop();
                return false;
            }
            using var transaction = _transactions.Begin();
            WritePieces(request, call, stored, context);
            stored.Commit(ChangeOfWrite(request, call.Fid, transaction.Number));
            request.Transno = transaction.Number;
        }
        if (!call.IsAsync && _options.DurableDirectWrites) await stored.SyncAsync(false, request.Aborted).ConfigureAwait(false);
        FinishWrite(request, call, stored, checksum);
        return true;
    }

    private static void WritePieces(RpcRequest request, in BrwCall call, IStoredObject stored, BrwContext? context)
    {
        int md = 0;
        var data = context == null ? request.Buffer(ShortIoIndex) : context.Sinks.Span[0].Span;
        foreach (ref readonly var niobuf in NiobufsOf(request, call))
        {
            long offset = (long)niobuf.Offset;
            for (uint left = niobuf.Length; left > 0;)
            {
                if (data.IsEmpty) data = context!.Sinks.Span[++md].Span;
                var piece = data[..(int)Math.Min(left, (uint)data.Length)];
                stored.Write(offset, piece);
                data = data[piece.Length..];
                offset += piece.Length;
                left -= (uint)piece.Length;
            }
        }
    }

    /// <summary>
    /// What a write says about attributes: times unless a later SETATTR came first, owners while pristine (06 sections 7.2,
    /// 7.4). o_mode, o_blocks, o_nlink, o_misc and o_data_version mean something else in a write.
    /// </summary>
    private static ObjectChange ChangeOfWrite(RpcRequest request, in LuFid fid, ulong transno)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        var change = new ObjectChange { DataVersion = transno, OnlyPristineOwners = true, Parent = ParentOf(oa) };
        SetOwners(ref change, oa);
        if (StateOf(request.Export).Times.Allows(fid, request.Xid)) SetTimes(ref change, oa);
        return change;
    }

    private void FinishWrite(RpcRequest request, in BrwCall call, IStoredObject stored, uint checksum)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        request.StartReply(OstBody.Size, sizeof(int) * call.Niobufs);
        ref var reply = ref request.Reply<OstBody>(1).Oa;
        reply.Valid = ObdoValid.Blocks;
        reply.Blocks = (ulong)stored.Attributes.Blocks;
        if (!oa.Has(ObdoValid.Checksum)) return;
        if (checksum != oa.Checksum && _checksumLines.TryEnter(out var suppressed))
            LogChecksumMismatch(Uuid, "write", call.Fid, request.Export.ClientUuid, checksum, oa.Checksum, suppressed);
        ReturnChecksum(ref reply, BrwChecksum.TypeOf(oa.Flags), checksum);
    }

    private void GiveMoreGrant(RpcRequest request)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        ref var reply = ref request.Reply<OstBody>(1).Oa;
        reply.Valid |= ObdoValid.Grant;
        if (oa.HasFlags(ObdoFlags.ShrinkGrant)) return;
        reply.Grant = _grants.GiveMore(StateOf(request.Export).Grant, oa.Grant, oa.Undirty);
    }
}
