using System.Runtime.CompilerServices;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_REINT: all changes of names and attributes (05 section 5). One method per sub-operation does the change and
/// builds the reply; a refusal is answered here, with all buffers of the sub-operation's format.</summary>
public sealed partial class MdtTarget
{
    private const int BufRecord = 1;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReintAsync(RpcRequest request)
    {
        ulong since = _store.OpenTransaction;
        var operation = request.Get<MdtRecReint>(BufRecord).Opcode;
        int errno;
        try
        {
            _locks.CancelEarly(request, EarlyCancelBuffer(operation));
            RequireWritable(request.Export);
            await ReintAsync(request, operation).ConfigureAwait(false);
            return;
        }
        catch (FsException refused)
        {
            errno = refused.Errno;
        }
        await _store.WhenSettled(since).ConfigureAwait(false);
        FailWithBuffers(request, errno, ShapeOf(operation));
    }

    private ValueTask ReintAsync(RpcRequest request, ReintOp operation) => operation switch
    {
        ReintOp.SetAttr => ReintSetAttrAsync(request),
        ReintOp.Create => ReintCreateAsync(request),
        ReintOp.Link => ReintLinkAsync(request),
        ReintOp.Unlink => ReintUnlinkAsync(request),
        ReintOp.Rename => ReintRenameAsync(request),
        ReintOp.SetXattr => ReintSetXattrAsync(request),
        // A dangling name cannot exist in this store; moving to another MDT and mirrors are not there.
        ReintOp.RmEntry or ReintOp.Migrate or ReintOp.Resync => throw new FsException(Errno.EOPNOTSUPP),
        _ => throw new RpcException(Errno.EPROTO, rpcLevel: true),
    };

    /// <summary>Reply buffers by sub-operation (05 sections 1.4 and 20.1).</summary>
    private static ReadOnlySpan<int> ShapeOf(ReintOp operation) => operation switch
    {
        ReintOp.Create => [MdtBody.Size, 0],
        ReintOp.Link or ReintOp.SetXattr or ReintOp.Resync => [MdtBody.Size],
        _ => [MdtBody.Size, 0, 0, 0, 0],
    };

    /// <summary>Where the list of locks to cancel stands in the request.</summary>
    private static int EarlyCancelBuffer(ReintOp operation) => operation switch
    {
        ReintOp.Resync => 2,
        ReintOp.Unlink or ReintOp.RmEntry => 4,
        ReintOp.Create or ReintOp.Link or ReintOp.SetXattr => 5,
        _ => 6,
    };

    /// <summary>Takes a server lock; completes at once when no client has to give anything back.</summary>
    private ValueTask<ServerLock> LockAsync(RpcRequest request, LuFid fid, LockMode mode, InodeBits bits) =>
        _locks.LockAsync(ResourceOf(fid), mode, bits, request.Aborted);

    /// <summary>Clients lose their pages and negative names of a directory that is about to change. Changes of one directory
    /// do not exclude each other: the store's gate puts them in order.</summary>
    private ValueTask<ServerLock> LockDirectoryAsync(RpcRequest request, LuFid directory) =>
        LockAsync(request, directory, LockMode.CW, InodeBits.Update);

    /// <summary>Finishes a change: waits for its commit, then builds the reply that describes its object, if there is one.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FinishReintAsync(RpcRequest request, ReintOp operation, MdtResult result)
    {
        await Settled(result.Transaction).ConfigureAwait(false);
        request.StartReply(ShapeOf(operation));
        if (!result.Object.Fid.IsZero)
            BodyWriter.Describe(ref request.Reply<MdtBody>(BufBody), result.Object, withSize: operation == ReintOp.Create);
        Record(request, result);
        if (result.Destroyed)
            _destroyer.Wake();
    }
}
