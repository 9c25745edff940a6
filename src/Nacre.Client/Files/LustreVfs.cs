using System.Runtime.CompilerServices;
using Nacre.Client.Inodes;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>
/// A mounted file system by inodes (llite's place): names and attributes from the MDT and what locks let it remember of them, bytes from the objects.
/// Permissions are the server's affair, and the kernel's above.
/// </summary>
internal sealed partial class LustreVfs : IVfs
{
    private const uint FileBlockSize = 4 << 20;
    private const uint OtherBlockSize = 4096;
    private const int MaxNameBytes = 255;

    private readonly MetadataClient _mdc;
    private readonly InodeTable _inodes;
    private readonly MountOptions _options;
    private readonly LustreInode _root;
    private readonly Func<CancellationToken, ValueTask<Outcome<FileSystemStatus>>> _status;

    /// <param name="root">Pinned for the life of the mount.</param>
    public LustreVfs(
        MetadataClient mdc, InodeTable inodes, MountOptions options, LustreInode root,
        Func<CancellationToken, ValueTask<Outcome<FileSystemStatus>>> status)
    {
        (_mdc, _inodes, _options, _root, _status) = (mdc, inodes, options, root, status);
    }

    public Node Root => _root;

    public IKernelCache? KernelCache
    {
        set => _inodes.KernelCache = value;
    }

    private long Now => _options.Time.GetUtcNow().ToUnixTimeSeconds();

    public void Forget(Node node, ulong count)
    {
        if (count > 0)
        {
            _inodes.Unpin((LustreInode)node, (long)count);
        }
    }

    public ValueTask<Outcome<FileSystemStatus>> GetStatusAsync(CancellationToken ct) => _status(ct);

    /// <summary>What an entry shows of an inode that is pinned for it already; on a failure the pin is taken away.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<Entry>> MakeEntryAsync(LustreInode inode, bool nameMayBeCached, CancellationToken ct)
    {
        var attributes = await GetAttributesAsync(inode, ct).ConfigureAwait(false);
        if (!attributes.IsOk)
        {
            _inodes.Unpin(inode);
            return new Failure(attributes.Errno);
        }

        var current = attributes.Value;
        return new Entry(inode, current.Attributes, nameMayBeCached, current.MayBeCached);
    }

    /// <summary>Takes an intent's answer over; the inode comes with a pin for the caller.</summary>
    private Outcome<LustreInode> TakeAnswer(in IntentReply answer)
    {
        ref readonly var body = ref answer.Body;
        var inode = _inodes.Get(body.Fid1, body.Mode);
        if (inode is null)
        {
            return new Failure(Errno.ESTALE);
        }

        inode.Take(answer);
        return inode;
    }

    private static int CheckName(ReadOnlyMemory<byte> name) => name.Length switch
    {
        0 => Errno.ENOENT,
        > MaxNameBytes => Errno.ENAMETOOLONG,
        _ => 0,
    };

    private static Outcome<Done> Completed(int errno) => errno == 0 ? default(Done) : new Failure(errno);
}
