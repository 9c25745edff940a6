using System.Numerics;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Ost;

// What READ and WRITE have in common: the request's form, locks and checksums (06 section 4).
public sealed partial class OstTarget
{
    private const int BodyIndex = 1, IoobjIndex = 2, NiobufIndex = 3, ShortIoIndex = 5;

    /// <summary>Most bytes a client can carry inline: one niobuf of 256 KiB (06 section 4.7).</summary>
    private const int MaxShortIo = 256 << 10;

    /// <summary>Up to this size bytes are copied where the request is; larger transfers go to a worker.</summary>
    private const int InlineBytes = 32 << 10;

    private const ulong LockPage = 4096;

    /// <summary>A checked bulk request.</summary>
    /// <param name="Total">Sum of the niobufs' lengths.</param>
    /// <param name="Start">First byte.</param>
    /// <param name="End">Behind the last byte; at most 2^63 - 1.</param>
    private readonly record struct BrwCall(
        LuFid Fid, int Niobufs, int Total, long Start, long End, int MaxMds, bool IsShort, bool IsServerLocked, bool IsAsync);

    private static ReadOnlySpan<NiobufRemote> NiobufsOf(RpcRequest request, in BrwCall call) =>
        request.GetArray<NiobufRemote>(NiobufIndex)[..call.Niobufs];

    /// <summary>Checks the form of the request before anything is sized by it (06 sections 2.6 and 4.3).</summary>
    private BrwCall ParseBrw(RpcRequest request)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        var ioobjs = request.GetArray<ObdIoobj>(IoobjIndex);
        var niobufs = request.GetArray<NiobufRemote>(NiobufIndex);
        if (ioobjs.Length != 1) throw Protocol("not exactly one object");
        int count = (int)Math.Min(ioobjs[0].BufferCount, int.MaxValue);
        if (count is 0 or > ObdIoobj.MaxNiobufs || niobufs.Length != count) throw Protocol("wrong number of niobufs");

        bool isShort = oa.HasFlags(ObdoFlags.ShortIo);
        int maxMds = ioobjs[0].MaxMds;
        if (!isShort && (!BitOperations.IsPow2(maxMds) || maxMds > 64)) throw Protocol("wrong number of MDs");

        int limit = isShort ? MaxShortIo : _options.BrwSize;
        var (total, isServerLocked, isAsync) = CheckNiobufs(niobufs, limit);
        return new BrwCall(ObjectOf(oa), count, total, (long)niobufs[0].Offset, (long)niobufs[^1].End, maxMds, isShort,
            isServerLocked, isAsync);
    }

    private static (int Total, bool IsServerLocked, bool IsAsync) CheckNiobufs(ReadOnlySpan<NiobufRemote> niobufs, int limit)
    {
        bool isServerLocked = (niobufs[0].Flags & NiobufFlags.SrvLock) != 0, isAsync = true;
        ulong total = 0, end = 0;
        foreach (ref readonly var niobuf in niobufs)
        {
            if (niobuf.Length == 0 || niobuf.Offset < end) throw Protocol("niobufs are empty or not ascending");
            if (niobuf.Offset > long.MaxValue - (ulong)niobuf.Length) throw new FsException(Errno.EFBIG);
            if (isServerLocked != ((niobuf.Flags & NiobufFlags.SrvLock) != 0))
                throw new RpcException(Errno.EFAULT, rpcLevel: true, "some niobufs ask for a server lock and some do not");
            end = niobuf.End;
            total += niobuf.Length;
            if (total > (ulong)limit) throw Protocol("more bytes than an RPC may carry");
            isAsync &= (niobuf.Flags & NiobufFlags.Async) != 0;
        }
        return ((int)total, isServerLocked, isAsync);
    }

    /// <summary>I/O without a client lock: a lock of the server on the pages touched (06 section 4.11).</summary>
    private ValueTask<ServerLock> LockForBrwAsync(RpcRequest request, in BrwCall call, LockMode mode) =>
        _locks.LockExtentAsync(ResourceOf(call.Fid), mode, (ulong)call.Start & ~(LockPage - 1),
            ((ulong)call.End - 1) | (LockPage - 1), LdlmFlags.None, request.Aborted);

    private void RefreshLocks(RpcRequest request, in BrwCall call) =>
        _locks.RefreshByIo(request.Export, ResourceOf(call.Fid), (ulong)call.Start, (ulong)call.End - 1);

    /// <summary>
    /// True when the client does not wait for this copy any more: its deadline passed, it sent another, or it is gone. No
    /// reply is sent then, and nothing must be changed.
    /// </summary>
    private static bool IsAbandoned(RpcRequest request) =>
        request.IsSuperseded || request.Export.IsClosed || request.Remaining <= TimeSpan.Zero;

    /// <summary>What the client says about its cache, except in a resent request: at the reconnect all was said anew.</summary>
    private bool TakeGrantNews(RpcRequest request, in Obdo oa)
    {
        if (request.IsResent || request.IsReplay || !oa.Has(ObdoValid.Grant) || !request.Export.Has(ConnectFlags.Grant)) return false;
        var client = StateOf(request.Export).Grant;
        if (oa.Has(ObdoValid.Blocks)) _grants.Announce(client, oa);
        if (oa.HasFlags(ObdoFlags.ShrinkGrant)) _grants.Shrink(client, oa.Grant);
        return true;
    }

    /// <summary>Cuts the bulk and checks that the client announced as many MDs.</summary>
    private static void Split(RpcRequest request, BrwContext context, in BrwCall call)
    {
        if (!context.TrySplit(NiobufsOf(request, call), StateOf(request.Export).PageSize)
            || context.Count != request.BulkDescriptorCount(call.MaxMds))
            throw Protocol("the niobufs do not fit the MDs");
    }

    private static void ReturnChecksum(ref Obdo reply, BrwChecksumType type, uint value)
    {
        reply.Valid |= ObdoValid.Checksum | ObdoValid.Flags;
        reply.Flags = (ObdoFlags)(uint)type;
        reply.Checksum = value;
    }
}
