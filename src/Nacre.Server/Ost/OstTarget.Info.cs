using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Ost;

// OST_STATFS, OST_GET_INFO, OST_SET_INFO, OST_LADVISE, OST_QUOTACTL (06 sections 6.4, 6.8, 6.11 to 6.13).
public sealed partial class OstTarget
{
    private const uint StatfsBlockBytes = 4096;
    private const uint MaxNameLength = 255;

    /// <summary>Q_GETOQUOTA; dqb_valid as genuine targets always set it: usage and limits, where 0 is no limit.</summary>
    private const uint GetObjectQuota = 0x80_0103, UsageValid = 0xF;

    public ObjectTargetSpace Space()
    {
        var space = _store.Space();
        long available = Math.Max(0, space.Free - _grants.DirtyOrPending);
        return new ObjectTargetSpace(space.Capacity, space.Capacity - space.Used, available, space.Objects, space.FreeObjects);
    }

    private ValueTask StatfsAsync(RpcRequest request)
    {
        var space = Space();
        request.StartReply(ObdStatfs.Size);
        ref var reply = ref request.Reply<ObdStatfs>(1);
        reply.BlockSize = StatfsBlockBytes;
        reply.Blocks = (ulong)space.Total / StatfsBlockBytes;
        reply.BlocksFree = (ulong)space.Free / StatfsBlockBytes;
        reply.BlocksAvailable = (ulong)space.Available / StatfsBlockBytes;
        reply.Files = (ulong)(space.Objects + space.FreeObjects);
        reply.FilesFree = (ulong)space.FreeObjects;
        reply.NameLength = MaxNameLength;
        reply.MaxBytes = (ulong)_store.MaxObjectBytes;
        if (space.Available < _options.BrwSize) reply.State |= StatfsState.NoSpace;
        if (space.FreeObjects == 0) reply.State |= StatfsState.NoInodes;
        return ValueTask.CompletedTask;
    }

    private ValueTask GetInfoAsync(RpcRequest request) =>
        request.Buffer(1).StartsWith("fiemap"u8) ? MapAsync(request) : throw new FsException(Errno.EOPNOTSUPP);

    /// <summary>
    /// FIEMAP. The reply has room for as many extents as were asked for, however few there are. EOPNOTSUPP is answered
    /// likewise, with the header of the request.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask MapAsync(RpcRequest request)
    {
        var fid = ObjectOf(request.Get<LlFiemapInfoKey>(1).Oa);
        int extents = ExtentsAskedFor(request);
        if (request.Get<LlFiemapInfoKey>(1).Oa.HasFlags(ObdoFlags.SrvLock))
        {
            // Makes whoever has dirty data write it; what is mapped after that is the truth of a moment either way.
            using var held = await _locks.LockExtentAsync(
                ResourceOf(fid), LockMode.PR, 0, EndOfObject, LdlmFlags.None, request.Aborted).ConfigureAwait(false);
        }
        using var stored = _store.Open(fid);
        await Task.Yield();
        request.StartReply(Fiemap.Size + FiemapExtent.Size * extents);
        request.Reply<Fiemap>(1) = request.Get<LlFiemapInfoKey>(1).Fiemap;
        try
        {
            FillMap(request, stored);
        }
        catch (FsException e) when (e.Errno == Errno.EOPNOTSUPP)
        {
            request.Status = -Errno.EOPNOTSUPP;
        }
    }

    private static int ExtentsAskedFor(RpcRequest request)
    {
        uint extents = request.Get<LlFiemapInfoKey>(1).Fiemap.ExtentCount;
        if (Fiemap.Size + (ulong)FiemapExtent.Size * extents > (ulong)request.BufferLength(2))
            throw Protocol("more extents than there is room for");
        return (int)extents;
    }

    private static void FillMap(RpcRequest request, IStoredObject stored)
    {
        ref var header = ref request.Reply<Fiemap>(1);
        var extents = MemoryMarshal.Cast<byte, FiemapExtent>(request.ReplyBuffer(1)[Fiemap.Size..]);
        int mapped = stored.Map(header.Start, header.Length, header.Flags & ~Fiemap.FlagDeviceOrder, extents);
        header.MappedExtents = (uint)mapped;
    }

    private ValueTask SetInfoAsync(RpcRequest request)
    {
        // Keys come with or without their NUL. Everything but this one is for an MDT or an administrator.
        if (!request.Buffer(1).TrimEnd((byte)0).SequenceEqual("grant_shrink"u8)) throw new FsException(Errno.EOPNOTSUPP);
        ref readonly var oa = ref request.Get<OstBody>(2).Oa;
        if (!request.IsResent && request.Export.Has(ConnectFlags.Grant)) _grants.Shrink(StateOf(request.Export).Grant, oa.Grant);
        request.StartReply(OstBody.Size);
        ref var reply = ref request.Reply<OstBody>(1).Oa;
        // o_grant 0: accepted. The rest as asked, so that the client finds its flags.
        reply.Valid = ObdoValid.Grant | ObdoValid.Flags;
        reply.Flags = ObdoFlags.ShrinkGrant;
        return ValueTask.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask LadviseAsync(RpcRequest request)
    {
        var fid = ObjectOf(request.Get<OstBody>(BodyIndex).Oa);
        int count = CheckAdvice(request);
        using (var stored = _store.Open(fid))
        {
            for (int i = 0; i < count; i++) await AdviseAsync(request, stored, AdviceAt(request, i)).ConfigureAwait(false);
        }
        request.StartReply(OstBody.Size);
        request.Reply<OstBody>(1) = request.Get<OstBody>(BodyIndex);
    }

    private static LuLadvise AdviceAt(RpcRequest request, int index) => request.GetArray<LuLadvise>(3)[index];

    private static int CheckAdvice(RpcRequest request)
    {
        const int MaxCount = 1024;
        ref readonly var header = ref request.Get<LadviseHdr>(2);
        var advice = request.GetArray<LuLadvise>(3);
        if (header.Magic != LadviseHdr.MagicValue || header.Count is 0 or > MaxCount || advice.Length < header.Count
            || (header.Flags & ~LadviseHdr.KnownFlags) != 0)
            throw Protocol("malformed advice");
        foreach (ref readonly var one in advice[..(int)header.Count])
        {
            if (one.End <= one.Start) throw Protocol("advice on an empty range");
            if (one.Advice is not (LadviseKind.WillRead or LadviseKind.DontNeed)) throw new FsException(Errno.ENOTSUPP);
        }
        return (int)header.Count;
    }

    private async ValueTask AdviseAsync(RpcRequest request, IStoredObject stored, LuLadvise advice)
    {
        bool willRead = advice.Advice == LadviseKind.WillRead;
        using var held = willRead
            ? await _locks.LockExtentAsync(ResourceOf(stored.Fid), LockMode.PR, advice.Start, advice.End - 1, LdlmFlags.None,
                request.Aborted).ConfigureAwait(false)
            : null;
        long start = (long)Math.Min(advice.Start, long.MaxValue), end = (long)Math.Min(advice.End, long.MaxValue);
        if (start >= end) return;
        await Task.Yield();
        stored.Advise(start, end, willRead);
    }

    /// <summary>What an id uses here. No limits are enforced.</summary>
    private ValueTask QuotactlAsync(RpcRequest request)
    {
        ref readonly var asked = ref request.Get<ObdQuotactl>(1);
        if (asked.Command != GetObjectQuota || asked.Type > (uint)OwnerKind.Project) throw new FsException(Errno.EOPNOTSUPP);
        var usage = _store.Usage((OwnerKind)asked.Type, asked.Id);
        request.StartReply(ObdQuotactl.Size);
        ref var reply = ref request.Reply<ObdQuotactl>(1);
        reply.Command = asked.Command;
        reply.Type = asked.Type;
        reply.Id = asked.Id;
        reply.CurrentSpace = (ulong)Math.Max(0, usage.Bytes);
        reply.CurrentInodes = (ulong)Math.Max(0, usage.Objects);
        reply.Valid = UsageValid;
        return ValueTask.CompletedTask;
    }
}
