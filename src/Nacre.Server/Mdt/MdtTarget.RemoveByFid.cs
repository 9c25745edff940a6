using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_RMFID: removes all names of files given by FID (05 section 3.8).</summary>
public sealed partial class MdtTarget
{
    /// <summary>FIDs of one request.</summary>
    private const int MaxRemovedFids = 4096;

    private const int LinkHeader = 24;
    private const int LinkRecordHead = 18;

    private async ValueTask RemoveByFidAsync(RpcRequest request)
    {
        ulong since = _store.OpenTransaction;
        RequireWritable(request.Export);
        int bytes = request.BufferLength(2);
        if (bytes % LuFid.Size != 0 || bytes / LuFid.Size > MaxRemovedFids)
            throw new FsException(Errno.EINVAL);
        var results = new int[bytes / LuFid.Size];
        ulong transno = 0;
        for (int i = 0; i < results.Length; i++)
        {
            var removed = await RemoveAllNamesAsync(request, FidAt(request, i)).ConfigureAwait(false);
            results[i] = -removed.Errno;
            transno = Math.Max(transno, removed.Transno);
        }
        await _store.WhenSettled(since).ConfigureAwait(false);
        request.StartReply(MdtBody.Size, bytes, results.Length * sizeof(int));
        request.Buffer(2).CopyTo(request.ReplyBuffer(2));
        MemoryMarshal.AsBytes(results.AsSpan()).CopyTo(request.ReplyBuffer(3));
        request.Transno = transno;
        _destroyer.Wake();
    }

    private static LuFid FidAt(RpcRequest request, int index) =>
        MemoryMarshal.Read<LuFid>(request.Buffer(2)[(index * LuFid.Size)..]);

    /// <summary>Removes one name after the other. A refusal ends it, with the names before it gone: their transno counts.</summary>
    private async ValueTask<(int Errno, ulong Transno)> RemoveAllNamesAsync(RpcRequest request, LuFid fid)
    {
        ulong transno = 0;
        try
        {
            foreach (var (parent, name) in NamesToRemove(request, fid))
            {
                using (await LockDirectoryAsync(request, parent).ConfigureAwait(false))
                using (await LockAsync(request, fid, LockMode.EX, InodeBits.Lookup | InodeBits.Update).ConfigureAwait(false))
                    transno = RemoveName(fid, parent, name, request.Get<MdtBody>(BufBody).Ctime);
            }
            return (0, transno);
        }
        catch (FsException refused)
        {
            return (refused.Errno, transno);
        }
    }

    private List<(LuFid Parent, byte[] Name)> NamesToRemove(RpcRequest request, LuFid fid)
    {
        var who = Caller(request, request.Get<MdtBody>(BufBody));
        lock (_store.Gate)
        {
            var attributes = _fs.GetAttr(fid).Attributes;
            if (attributes.IsDirectory || (attributes.Flags & InodeFlags.Immutable) != 0)
                throw new FsException(attributes.IsDirectory ? Errno.EISDIR : Errno.EACCES);
            if (_fs.OpenCounts(fid).Opens != 0)
                throw new FsException(Errno.EBUSY);
            _fs.CheckAccess(who, fid, 2);
            var links = _fs.GetXattr(fid, XattrNames.Link);
            return links.Found ? ParseLinks(links.Value.Span) : throw new FsException(Errno.ENODATA);
        }
    }

    /// <summary>trusted.link: big-endian records behind a little-endian header (05 section 13.3).</summary>
    private static List<(LuFid Parent, byte[] Name)> ParseLinks(ReadOnlySpan<byte> links)
    {
        var names = new List<(LuFid, byte[])>();
        if (links.Length < LinkHeader)
            return names;
        links = links[LinkHeader..];
        while (links.Length >= LinkRecordHead)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(links);
            if (length <= LinkRecordHead || length > links.Length)
                break;
            var parent = new LuFid(
                BinaryPrimitives.ReadUInt64BigEndian(links[2..]),
                BinaryPrimitives.ReadUInt32BigEndian(links[10..]),
                BinaryPrimitives.ReadUInt32BigEndian(links[14..]));
            names.Add((parent, links[LinkRecordHead..length].ToArray()));
            links = links[length..];
        }
        return names;
    }

    private ulong RemoveName(LuFid fid, LuFid parent, byte[] name, long time)
    {
        lock (_store.Gate)
        {
            var lookup = _fs.Lookup(MdtCredentials.Root, parent, name);
            if (!lookup.Found || lookup.Object.Fid != fid)
                throw new FsException(Errno.ENOENT);
            return _fs.Unlink(MdtCredentials.Root, new UnlinkArgs
            {
                Parent = parent,
                Name = name,
                Kind = UnlinkKind.File,
                Time = time,
            }).Transno;
        }
    }
}
