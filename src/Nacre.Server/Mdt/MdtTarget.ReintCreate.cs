using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>REINT_CREATE: mkdir, mknod, symlink (05 section 5.4).</summary>
public sealed partial class MdtTarget
{
    private const int CreateName = 3;
    private const int CreateEaData = 4;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReintCreateAsync(RpcRequest request)
    {
        RefuseKnownName(request);
        MdtResult result;
        using (await LockDirectoryAsync(request, request.Get<MdtRecCreate>(BufRecord).Fid1).ConfigureAwait(false))
            result = CreateUnderLock(request);
        await FinishReintAsync(request, ReintOp.Create, result).ConfigureAwait(false);
    }

    /// <summary>EEXIST without calling anything back: mkdir -p of what is there must not cost others their caches.</summary>
    private void RefuseKnownName(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecCreate>(BufRecord);
        var name = EntryNameIn(request, CreateName);
        lock (_store.Gate)
        {
            if (_fs.Lookup(Caller(request, request.Get<MdtRecReint>(BufRecord)), record.Fid1, name).Found)
                throw new FsException(Errno.EEXIST);
        }
    }

    private MdtResult CreateUnderLock(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecCreate>(BufRecord);
        uint type = record.Mode & ModeBits.TypeMask;
        if (type == ModeBits.Directory)
            CheckMkdirLayout(request);
        var arguments = new CreateArgs
        {
            Parent = record.Fid1,
            Name = EntryNameIn(request, CreateName),
            Fid = record.Fid2,
            Mode = record.Mode,
            Umask = UmaskOf(request, record),
            RDev = (uint)record.Rdev,
            Time = record.Time,
            Target = type == ModeBits.Symlink ? LinkTargetIn(request) : default,
        };
        lock (_store.Gate)
            return _fs.Create(Caller(request, request.Get<MdtRecReint>(BufRecord)), arguments);
    }

    /// <summary>Without UMASK granted the client has applied it already (05 section 17 item 19).</summary>
    private static uint UmaskOf(RpcRequest request, in MdtRecCreate record) =>
        request.Export.Has(ConnectFlags.Umask) ? record.Umask & 0x1ff : 0;

    /// <summary>The target without its NUL: the last byte, and the only one.</summary>
    private static ReadOnlySpan<byte> LinkTargetIn(RpcRequest request)
    {
        var target = NameIn(request, CreateEaData);
        return target.IsEmpty ? throw new RpcException(Errno.EPROTO, rpcLevel: true) : target;
    }

    private static void CheckMkdirLayout(RpcRequest request)
    {
        var ea = BytesIn(request, CreateEaData);
        if (LovCodec.MagicOf(ea) is not (LovMagic.LmvUser or LovMagic.LmvUserSpecific))
            return;
        if (ea.Length < LmvUserMd.Size)
            throw new FsException(Errno.EINVAL);
        RequireOneMdt(MemoryMarshal.Read<LmvUserMd>(ea));
    }
}
