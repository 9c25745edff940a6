using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Protocol;

namespace Nacre.Fuse.Session;

/// <summary>Listing directories.</summary>
internal sealed partial class FuseSession
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadDirectoryAsync(FuseRequest request, OpenNode directory, bool withEntries)
    {
        var read = Body<TransferRequest>(request);
        int room = (int)Math.Min(read.Length, (uint)_options.MaxTransfer);
        var list = request.Directory ??= new DirectoryReply(this);
        list.Begin(request, _buffers.Rent(), room, withEntries);
        try
        {
            var done = await _vfs.ReadDirectoryAsync(directory, (ulong)read.Offset, withEntries, list, request.Cancelled).ConfigureAwait(false);
            // What was gathered before an error is not lost: the error comes again at the next call.
            if (done.IsOk || list.Length > 0) Reply(request, list.Bytes);
            else ReplyError(request, done.Errno);
        }
        finally
        {
            _buffers.Return(list.End());
        }
    }

    /// <inheritdoc cref="TakeEntry"/>
    internal EntryReply TakeListed(FuseRequest request, ReadOnlySpan<byte> name, in Entry entry) =>
        TakeEntry(request, request.Entry, name, in entry);

    internal void GiveBack(Node node) => _vfs.Forget(node, 1);
}
