using System.Runtime.CompilerServices;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_CLOSE (05 section 8). Never waits for a lock: a client may have to close before it can give one up. Only a release does, whose closer
/// has the file for itself (MdtTarget.Release.cs).</summary>
public sealed partial class MdtTarget
{
    private const int CloseRecord = 2;

    private static ReadOnlySpan<int> CloseShape => [MdtBody.Size, 0, 0, 0, 0];

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask CloseAsync(RpcRequest request)
    {
        ulong cookie = request.Get<MdtIoEpoch>(1).OpenHandle;
        var record = request.Get<MdtRecSetattr>(CloseRecord);
        if ((record.Bias & MdsBias.HsmRelease) != 0)
        {
            await CloseReleasingAsync(request, record, cookie).ConfigureAwait(false);
            return;
        }
        MdtResult result;
        lock (_store.Gate)
        {
            result = TryRemoveOpenFile(request.Export, cookie, out var file)
                ? _fs.Close(file.Fid, file.Mode, TimesOf(request.Export, record, file))
                : default;
        }
        if (result.Transno == 0)
        {
            FailWithBuffers(request, Errno.ESTALE, CloseShape);
            return;
        }
        // A close intent other than a release (layout swap, resync) is not carried out: the bit for it stays clear, the file is
        // closed, and the tool hears EBUSY (05 section 8.4).
        await Settled(result.Transaction).ConfigureAwait(false);
        request.StartReply(CloseShape);
        Record(request, result);
        if (result.Destroyed)
            _destroyer.Wake();
    }

    /// <summary>The times and lazy sizes a client reports; nothing else of the record counts (05 section 8.2).</summary>
    private static SetAttrArgs? TimesOf(Export export, in MdtRecSetattr record, in OpenFile file)
    {
        if (record.Fid != file.Fid || export.Has(ConnectFlags.Rdonly))
            return null;
        var arguments = ArgumentsOf(record);
        const SetAttrValid kept = SetAttrValid.ATimeSet | SetAttrValid.MTimeSet | SetAttrValid.CTimeSet
            | SetAttrValid.LazySize | SetAttrValid.LazyBlocks;
        return arguments with { Valid = arguments.Valid & kept };
    }
}
