using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_READPAGE: directory entries by bulk (05 section 4). The server keeps no state between two requests.</summary>
public sealed partial class MdtTarget
{
    private async ValueTask ReadPageAsync(RpcRequest request)
    {
        var directory = RequireFid(request.Get<MdtBody>(BufBody));
        using var buffer = await _server.Bulk.RentAsync(request.BulkShare, request.Aborted).ConfigureAwait(false);
        int length;
        ulong transaction;
        try
        {
            (length, transaction) = FillPages(request, directory, buffer.Memory);
        }
        catch (FsException refused) when (refused.Errno == Errno.ENOENT)
        {
            throw new RpcException(Errno.ENOENT, rpcLevel: true);
        }
        await Settled(transaction).ConfigureAwait(false);
        await request.PushBulkAsync(Portal.MdsBulk, new ReadOnlyMemory<byte>[] { buffer.Memory[..length] }, 1).ConfigureAwait(false);
        request.StartReply(MdtBody.Size);
    }

    /// <summary>Fills pages until the directory or the client's room ends. The gate is taken for each page anew, so that a
    /// large directory does not hold up everything else; entries cannot change in between while the client holds UPDATE, and
    /// positions stay valid if it does not.</summary>
    private (int Length, ulong Transaction) FillPages(RpcRequest request, LuFid directory, Memory<byte> room)
    {
        ref readonly var asked = ref request.Get<MdtBody>(BufBody);
        uint limit = request.Export.Has(ConnectFlags.BrwSize) ? request.Export.ConnectData.BrwSize : SmallestBulk;
        uint bytes = Math.Min(Math.Min(asked.Nlink, limit), (uint)room.Length);
        int pages = Math.Max(1, (int)(bytes / LuDirpage.PageSize));
        ulong? position = asked.ObjectSize;
        ulong transaction = 0;
        int length = 0;
        for (int page = 0; page < pages && position is { } start; page++, length += LuDirpage.PageSize)
        {
            var span = room.Span.Slice(length, LuDirpage.PageSize);
            span.Clear();
            var writer = new DirPageWriter(span, start, (LuDirentAttrs)asked.Mode);
            MdtReadDir read;
            lock (_store.Gate)
                read = _fs.ReadDir(directory, start, ref writer);
            writer.Finish(read.Next);
            position = read.Next;
            transaction = Math.Max(transaction, read.Transaction);
        }
        return (length, transaction);
    }
}
