using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Limits of <see cref="MdtFileSystem"/>.</summary>
public sealed record MdtFileSystemOptions
{
    /// <summary>Most hard links of one inode; beyond: EMLINK. 65000 as on ldiskfs.</summary>
    public uint MaxLinks { get; init; } = 65_000;

    /// <summary>Longest xattr value in bytes; beyond: E2BIG (XATTR_SIZE_MAX of Linux).</summary>
    public int MaxXattrValue { get; init; } = 65_536;

    /// <summary>Most bytes of stored xattr values and names on one inode; beyond: ENOSPC.</summary>
    public long MaxXattrTotal { get; init; } = 1 << 20;

    /// <summary>Longest symlink target in bytes; beyond: ENAMETOOLONG.</summary>
    public int MaxSymlink { get; init; } = 4095;

    /// <summary>Largest layout EA in bytes; beyond: E2BIG.</summary>
    public int MaxLayout { get; init; } = 65_536;
}

/// <summary>
/// POSIX operations on one metadata store: permissions, link counts, ACLs, orphans, everything the MDT decides and nothing
/// of the wire (05 sections 4, 5, 9). All members are synchronous and must be called with <see cref="MetadataStore.Gate"/>
/// held; ldlm locks are the caller's affair and are taken before. A refused operation throws <see cref="FsException"/> with
/// a positive errno and has changed nothing. A change is in the open transaction when the call returns: wait for
/// <c>Store.WhenCommitted(result.Transaction)</c> outside the gate before answering. Reads name the transaction they depend
/// on in the same way. After an exception, waiting for <c>Store.PendingTransaction</c> makes sure the refusal does not rest on
/// an uncommitted change.
/// </summary>
/// <remarks>Operations check everything first and change afterwards; an error of the store in between rolls back the whole
/// open transaction, so nothing is ever half done.</remarks>
public sealed partial class MdtFileSystem : IDisposable
{
    /// <summary>FID of the root directory (04).</summary>
    public static readonly LuFid Root = LuFid.Root;

    /// <summary>Longest name in bytes.</summary>
    public const int MaxName = 255;

    private const int MayRead = 4, MayWrite = 2, MayExec = 1;
    private const uint DirectorySize = 4096;

    private readonly MdtFileSystemOptions _options;
    private readonly TimeProvider _time;

    public MdtFileSystem(MetadataStore store, MdtFileSystemOptions options, TimeProvider time)
    {
        (Store, _options, _time) = (store, options, time);
        store.Aborted += OnAborted;
    }

    public MetadataStore Store { get; }

    /// <summary>Lets go of the store, which its owner disposes of.</summary>
    public void Dispose() => Store.Aborted -= OnAborted;

    /// <summary>Refuses what adds to the database while the disk is full. ENOSPC.</summary>
    private void NeedSpace()
    {
        if (Store.IsShortOfSpace)
        {
            throw new FsException(Errno.ENOSPC);
        }
    }

    private Inode? Find(in LuFid fid) => InodeNumber.TryOf(fid, out long number) ? Store.FindInode(number) : null;

    private Inode Need(in LuFid fid) => Find(fid) ?? throw new FsException(Errno.ENOENT);

    /// <summary>The inode an entry names. That it exists is an invariant of the store.</summary>
    private Inode Need(in Entry entry) => Store.FindInode(entry.Inode) ?? throw new FsException(Errno.EIO);

    private Inode NeedDirectory(in LuFid fid)
    {
        var inode = Need(fid);
        return inode.IsDirectory ? inode : throw new FsException(Errno.ENOTDIR);
    }

    private MdtObject Snapshot(Inode inode) => new()
    {
        Attributes = inode.Attributes(),
        Layout = inode.Layout,
        AccessAcl = inode.AccessAcl,
        Hsm = inode.Hsm,
        Target = inode.Target,
        Transaction = Store.Pending(inode),
    };

    private MdtResult Done(Inode inode, ulong transno, PreVersions preVersions, bool destroyed = false)
    {
        var snapshot = Snapshot(inode);
        return new MdtResult
        {
            Transaction = Store.EndChange(),
            Transno = transno,
            Object = snapshot,
            Destroyed = destroyed,
            PreVersions = preVersions,
        };
    }

    /// <summary>Result of an operation that found nothing to change; still depends on what it saw.</summary>
    private MdtResult Unchanged(Inode inode)
    {
        var snapshot = Snapshot(inode);
        return new MdtResult { Transaction = snapshot.Transaction, Object = snapshot };
    }

    private void Touch(Inode inode, ulong transno)
    {
        Store.Change(inode);
        inode.Version = transno;
    }

    /// <summary>A name came or went: the directory's times and version.</summary>
    private void TouchDirectory(Inode directory, FileTime time, ulong transno)
    {
        Touch(directory, transno);
        directory.MTime = directory.CTime = time;
    }

    /// <summary>Checks a name that is to be looked up or made. EINVAL, ENAMETOOLONG.</summary>
    private static void CheckName(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxName)
        {
            throw new FsException(Errno.ENAMETOOLONG);
        }
        if (name.IsEmpty || name.ContainsAny((byte)'/', (byte)0))
        {
            throw new FsException(Errno.EINVAL);
        }
    }

    private static bool IsDot(ReadOnlySpan<byte> name) => name is [(byte)'.'];

    private static bool IsDotDot(ReadOnlySpan<byte> name) => name is [(byte)'.', (byte)'.'];
}
