using Nacre.Client.Inodes;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>Symbolic links.</summary>
internal sealed partial class LustreVfs
{
    public async ValueTask<Outcome<ReadOnlyMemory<byte>>> ReadLinkAsync(Node node, Credentials who, CancellationToken ct)
    {
        var inode = (LustreInode)node;
        if (inode.FileType != FileTypes.Symlink)
        {
            return new Failure(Errno.EINVAL);
        }

        if (inode.LinkTarget is { } known)
        {
            return new ReadOnlyMemory<byte>(known);
        }

        var attributes = await GetAttributesAsync(inode, ct).ConfigureAwait(false);
        if (!attributes.IsOk)
        {
            return new Failure(attributes.Errno);
        }

        if (attributes.Value.Attributes.Size is <= 0 or > MaxSymlinkBytes)
        {
            return new Failure(Errno.EPROTO);
        }

        var read = await _mdc.ReadLinkAsync(inode.Fid, (int)attributes.Value.Attributes.Size, ct).ConfigureAwait(false);
        if (!read.IsOk)
        {
            return new Failure(read.Errno);
        }

        inode.LinkTarget = read.Value;
        return new ReadOnlyMemory<byte>(read.Value);
    }
}
