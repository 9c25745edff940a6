using Nacre.Client.Mdc;
using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Inodes;

/// <summary>
/// The inodes in memory, one for each FID, and what they share. An inode goes when the last pin does: references the layer above holds, locks (whose
/// number <see cref="MountOptions.MaxMetadataLocks"/> bounds), open files.
/// </summary>
internal sealed class InodeTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<LuFid, LustreInode> _inodes = [];

    public InodeTable(MetadataClient mdc, DataClient data, MountOptions options)
    {
        Mdc = mdc;
        Data = data;
        Names = new NameCache(this, options.MaxMetadataLocks);
        Pages = new DirectoryPages(options.MaxDirectoryBytes);
    }

    public MetadataClient Mdc { get; }

    public DataClient Data { get; }

    public NameCache Names { get; }

    public DirectoryPages Pages { get; }

    public IKernelCache? KernelCache { get; set; }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _inodes.Count;
            }
        }
    }

    /// <summary>The inode of a FID, with one pin more for the caller; null when it is known with another type, which cannot be.</summary>
    public LustreInode? Get(LuFid fid, uint mode)
    {
        lock (_gate)
        {
            if (!_inodes.TryGetValue(fid, out var inode))
            {
                _inodes.Add(fid, inode = new LustreInode(this, fid, mode & FileTypes.Mask));
            }

            if (inode.FileType != (mode & FileTypes.Mask))
            {
                return null;
            }

            inode.Pins++;
            return inode;
        }
    }

    /// <summary>One pin more; the caller knows that there is another.</summary>
    public void Pin(LustreInode inode)
    {
        lock (_gate)
        {
            inode.Pins++;
        }
    }

    /// <summary>One pin more, unless it is leaving already.</summary>
    public bool TryPin(LustreInode inode)
    {
        lock (_gate)
        {
            if (inode.Pins <= 0)
            {
                return false;
            }

            inode.Pins++;
            return true;
        }
    }

    public void Unpin(LustreInode inode, long count = 1)
    {
        lock (_gate)
        {
            inode.Pins -= count;
            if (inode.Pins > 0)
            {
                return;
            }

            if (!inode.HasData)
            {
                _inodes.Remove(inode.Fid);
            }
            else
            {
                // Stays, pinned by the write-back, so that nobody meets an old and a new one of the same file.
                inode.Pins = 1;
            }
        }

        if (inode.HasData)
        {
            _ = CloseDataAsync(inode);
        }
        else
        {
            Names.Forget(inode);
            Pages.Drop(inode);
        }
    }

    /// <summary>Writes back and gives up what all inodes have of their files' data.</summary>
    public async Task CloseAllDataAsync()
    {
        LustreInode[] inodes;
        lock (_gate)
        {
            inodes = [.. _inodes.Values];
        }

        await Task.WhenAll(inodes.Select(static inode => inode.CloseDataAsync())).ConfigureAwait(false);
    }

    private async Task CloseDataAsync(LustreInode inode)
    {
        await inode.CloseDataAsync().ConfigureAwait(false);
        Unpin(inode);
    }
}
