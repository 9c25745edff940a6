using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Ost;

// OST_PUNCH, OST_FALLOCATE, OST_SEEK (06 sections 6.3, 6.6, 6.7).
public sealed partial class OstTarget
{
    private const uint SeekData = 3, SeekHole = 4;

    /// <summary>A truncate: sets the size exactly.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask PunchAsync(RpcRequest request)
    {
        var fid = ObjectOf(request.Get<OstBody>(BodyIndex).Oa);
        ulong size = PunchSize(request.Get<OstBody>(BodyIndex).Oa);
        var resource = ResourceOf(fid);
        _locks.RefreshByIo(request.Export, resource, size, EndOfObject);
        var discard = size == 0 ? LdlmFlags.AstDiscardData : LdlmFlags.None;
        using var held = await ServerLockAsync(request, fid, LockMode.PW, size, EndOfObject, discard).ConfigureAwait(false);
        using var stored = _store.Open(fid);
        if (size > (ulong)_store.MaxObjectBytes) throw new FsException(Errno.EFBIG);
        // Freeing blocks of a large object takes the disk a while.
        await Task.Yield();
        using (await stored.LockRangeAsync((long)size, long.MaxValue, request.Aborted).ConfigureAwait(false))
        {
            if (IsAbandoned(request))
            {
                request.Drop();
                return;
            }
            using var transaction = _transactions.Begin();
            stored.Truncate((long)size, ChangeOfRange(request, fid, transaction.Number));
            request.Transno = transaction.Number;
        }
        ref var reply = ref StartBody(request, fid);
        reply.Valid = ObdoValid.Id | ObdoValid.Blocks;
        reply.Blocks = (ulong)stored.Attributes.Blocks;
        _locks.RefreshByIo(request.Export, resource, size, EndOfObject);
    }

    private static ulong PunchSize(in Obdo oa)
    {
        if (!oa.Has(ObdoValid.Size | ObdoValid.Blocks)) throw Protocol("a PUNCH without a range");
        if (oa.Blocks != EndOfObject) throw Protocol("a PUNCH with an end: holes are made by FALLOCATE");
        return oa.ObjectSize;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FallocateAsync(RpcRequest request)
    {
        var (fid, start, end, mode) = ParseFallocate(request.Get<OstBody>(BodyIndex).Oa);
        _locks.RefreshByIo(request.Export, ResourceOf(fid), (ulong)start, (ulong)end - 1);
        using var held = await ServerLockAsync(request, fid, LockMode.PW, (ulong)start, (ulong)end - 1).ConfigureAwait(false);
        using var stored = _store.Open(fid);
        await Task.Yield();
        using (await stored.LockRangeAsync(start, end, request.Aborted).ConfigureAwait(false))
        {
            if (IsAbandoned(request))
            {
                request.Drop();
                return;
            }
            Fallocate(request, stored, start, end, mode);
        }
        ref var reply = ref StartBody(request, fid);
        FillAttributes(ref reply, stored.Attributes);
        reply.Valid = Identity | Times | ObdoValid.Size | ObdoValid.Blocks;
        _locks.RefreshByIo(request.Export, ResourceOf(fid), (ulong)start, (ulong)end - 1);
    }

    private (LuFid Fid, long Start, long End, FallocateMode Mode) ParseFallocate(in Obdo oa)
    {
        var fid = ObjectOf(oa);
        var mode = oa.FallocateMode;
        if (!oa.Has(ObdoValid.Size | ObdoValid.Blocks) || (mode & ~(FallocateMode.KeepSize | FallocateMode.PunchHole)) != 0)
            throw new FsException(Errno.EOPNOTSUPP);
        if (oa.ObjectSize >= oa.Blocks) throw new FsException(Errno.EINVAL);
        bool isHole = (mode & FallocateMode.PunchHole) != 0;
        // A hole may reach beyond any object; there is nothing to free there.
        if (oa.ObjectSize > (ulong)_store.MaxObjectBytes || (!isHole && oa.Blocks > (ulong)_store.MaxObjectBytes))
            throw new FsException(Errno.EFBIG);
        return (fid, (long)oa.ObjectSize, (long)Math.Min(oa.Blocks, long.MaxValue), mode);
    }

    private void Fallocate(RpcRequest request, IStoredObject stored, long start, long end, FallocateMode mode)
    {
        using var transaction = _transactions.Begin();
        var change = ChangeOfRange(request, stored.Fid, transaction.Number);
        if ((mode & FallocateMode.PunchHole) != 0)
        {
            stored.PunchHole(start, end, change);
            request.Transno = transaction.Number;
            return;
        }
        long missing = end - start - stored.AllocatedBytes(start, end);
        if (!_grants.TryReserve(missing > 0 ? missing + _grants.TaxBytes : 0, out var use)) throw new FsException(Errno.ENOSPC);
        try
        {
            stored.Allocate(start, end, (mode & FallocateMode.KeepSize) != 0, change);
            request.Transno = transaction.Number;
        }
        finally
        {
            _grants.EndWrite(use);
        }
    }

    /// <summary>Times and pristine owners as in a write; later writes with smaller xids leave the times alone.</summary>
    private static ObjectChange ChangeOfRange(RpcRequest request, in LuFid fid, ulong transno)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        var change = new ObjectChange
        {
            DataVersion = transno,
            OnlyPristineOwners = true,
            Parent = ParentOf(oa),
        };
        SetOwners(ref change, oa);
        SetTimes(ref change, oa);
        if ((oa.Valid & Times) != 0) StateOf(request.Export).Times.Record(fid, request.Xid);
        return change;
    }

    /// <summary>The result, even when it is an error, travels in o_size with status 0.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SeekAsync(RpcRequest request)
    {
        var fid = ObjectOf(request.Get<OstBody>(BodyIndex).Oa);
        var (offset, whence) = ParseSeek(request.Get<OstBody>(BodyIndex).Oa);
        using var held = await ServerLockAsync(request, fid, LockMode.PR, (ulong)offset, EndOfObject).ConfigureAwait(false);
        using var stored = _store.Open(fid);
        long found = stored.Seek(offset, whence == SeekHole);
        ref var reply = ref StartBody(request, fid);
        reply.Mode = whence;
        reply.ObjectSize = unchecked((ulong)(found < 0 ? -Errno.ENXIO : found));
    }

    private static (long Offset, uint Whence) ParseSeek(in Obdo oa)
    {
        if (oa.ObjectSize > long.MaxValue || oa.Mode is not (SeekData or SeekHole)) throw Protocol("no such SEEK");
        return ((long)oa.ObjectSize, oa.Mode);
    }
}
