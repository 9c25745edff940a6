namespace Nacre.Client.Vfs;

[Flags]
public enum WriteOptions
{
    None = 0,

    /// <summary>At the end of the file, wherever that is by then; the offset is ignored.</summary>
    Append = 1,

    /// <summary>Write-back of a page of the kernel's cache: allowed under a lock that is being called back, and for nobody in particular.</summary>
    FromPageCache = 2,

    /// <summary>Not through the client's cache (O_DIRECT).</summary>
    Direct = 4,

    /// <summary>On stable storage before it returns (O_SYNC, O_DSYNC).</summary>
    Sync = 8,

    /// <summary>setuid and setgid bits go with it.</summary>
    KillPrivileges = 16,
}

/// <summary>
/// A file system by inodes, as an operating system's virtual file system asks for it. Names are bytes without slash and NUL, at most
/// 255 of them. Flags of open, rename, xattr and fallocate are Linux's own values.
/// <para>A cancelled operation fails with EINTR where nothing has been done yet.</para>
/// </summary>
public interface IVfs
{
    Node Root { get; }

    /// <summary>Where promises to cache are taken back; set once, before the first operation.</summary>
    IKernelCache? KernelCache { set; }

    /// <summary>Takes references away that came with entries.</summary>
    void Forget(Node node, ulong count);

    /// <summary>Adds a reference to the node of the entry. ENOENT comes as an entry without node where its absence may be cached.</summary>
    ValueTask<Outcome<Entry>> LookupAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct);

    /// <summary>The directory's parent, with a reference.</summary>
    ValueTask<Outcome<Entry>> LookupParentAsync(Node directory, Credentials who, CancellationToken ct);

    /// <param name="file">An open file of the node, or null.</param>
    ValueTask<Outcome<CurrentAttributes>> GetAttributesAsync(Node node, OpenNode? file, CancellationToken ct);

    ValueTask<Outcome<CurrentAttributes>> SetAttributesAsync(
        Node node, OpenNode? file, AttributeChange change, Credentials who, CancellationToken ct);

    ValueTask<Outcome<ReadOnlyMemory<byte>>> ReadLinkAsync(Node node, Credentials who, CancellationToken ct);

    /// <param name="mode">With the type.</param>
    /// <param name="umask">Not yet taken off the mode: that is for the file system, unless the directory has a default ACL.</param>
    ValueTask<Outcome<Entry>> MakeNodeAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, ulong device, Credentials who, CancellationToken ct);

    ValueTask<Outcome<Entry>> MakeDirectoryAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, Credentials who, CancellationToken ct);

    ValueTask<Outcome<Entry>> MakeSymlinkAsync(
        Node directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Credentials who, CancellationToken ct);

    ValueTask<Outcome<Entry>> LinkAsync(Node node, Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct);

    ValueTask<Outcome<Done>> UnlinkAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct);

    ValueTask<Outcome<Done>> RemoveDirectoryAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct);

    /// <param name="flags">RENAME_NOREPLACE (1), RENAME_EXCHANGE (2).</param>
    ValueTask<Outcome<Done>> RenameAsync(
        Node fromDirectory, ReadOnlyMemory<byte> fromName, Node toDirectory, ReadOnlyMemory<byte> toName, uint flags,
        Credentials who, CancellationToken ct);

    /// <param name="flags">O_* of Linux x86-64.</param>
    ValueTask<Outcome<Opened>> OpenAsync(Node node, int flags, Credentials who, CancellationToken ct);

    /// <summary>Makes the file where it is not, and opens it; O_EXCL demands the former.</summary>
    ValueTask<Outcome<Created>> CreateAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, int flags, Credentials who, CancellationToken ct);

    ValueTask<Outcome<ReadResult>> ReadAsync(OpenNode file, long offset, int length, CancellationToken ct);

    /// <summary>
    /// As <see cref="ReadAsync"/>, for pages that the kernel keeps until <see cref="IKernelCache.DropDataAsync"/>: also of a file that is read past all caches
    /// otherwise, and mapped.
    /// </summary>
    ValueTask<Outcome<ReadResult>> ReadPagesAsync(OpenNode file, long offset, int length, CancellationToken ct) => ReadAsync(file, offset, length, ct);

    /// <summary>Takes all bytes or fails; the data may be used again when it returns.</summary>
    /// <returns>Bytes written, and where the last one went plus one.</returns>
    ValueTask<Outcome<(int Length, long End)>> WriteAsync(
        OpenNode file, long offset, ReadOnlyMemory<byte> data, WriteOptions options, CancellationToken ct);

    /// <summary>A descriptor is closed: tells of lost write-back, and drops the fcntl locks of <paramref name="owner"/>.</summary>
    ValueTask<Outcome<Done>> FlushAsync(OpenNode file, ulong owner, CancellationToken ct);

    /// <summary>The last descriptor is gone.</summary>
    ValueTask ReleaseAsync(OpenNode file);

    ValueTask<Outcome<Done>> SyncAsync(OpenNode file, bool dataOnly, CancellationToken ct);

    ValueTask<Outcome<Opened>> OpenDirectoryAsync(Node directory, Credentials who, CancellationToken ct);

    /// <param name="cookie">0 for the beginning, or one the sink was given.</param>
    /// <param name="withEntries">Give full entries where that costs little (readdirplus).</param>
    ValueTask<Outcome<Done>> ReadDirectoryAsync(
        OpenNode directory, ulong cookie, bool withEntries, IDirectorySink sink, CancellationToken ct);

    ValueTask<Outcome<FileSystemStatus>> GetStatusAsync(CancellationToken ct);

    ValueTask<Outcome<ReadOnlyMemory<byte>>> GetXattrAsync(Node node, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct);

    /// <param name="flags">XATTR_CREATE (1), XATTR_REPLACE (2).</param>
    ValueTask<Outcome<Done>> SetXattrAsync(
        Node node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, int flags, Credentials who, CancellationToken ct);

    /// <summary>Names, each ended by NUL.</summary>
    ValueTask<Outcome<ReadOnlyMemory<byte>>> ListXattrsAsync(Node node, Credentials who, CancellationToken ct);

    ValueTask<Outcome<Done>> RemoveXattrAsync(Node node, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct);

    /// <summary>The first lock in the way of <paramref name="wanted"/>, or one of type Unlock.</summary>
    ValueTask<Outcome<FileLock>> GetLockAsync(OpenNode file, LockOwner owner, FileLock wanted, CancellationToken ct);

    /// <param name="wait">Wait until it is free (EINTR when cancelled, EDEADLK), else EAGAIN.</param>
    ValueTask<Outcome<Done>> SetLockAsync(OpenNode file, LockOwner owner, FileLock wanted, bool wait, CancellationToken ct);

    /// <param name="mode">FALLOC_FL_* of Linux.</param>
    ValueTask<Outcome<Done>> AllocateAsync(OpenNode file, int mode, long offset, long length, CancellationToken ct);

    /// <param name="whence">SEEK_DATA (3) or SEEK_HOLE (4).</param>
    ValueTask<Outcome<long>> SeekAsync(OpenNode file, long offset, int whence, CancellationToken ct);

    /// <summary>copy_file_range(2); may copy less than asked for.</summary>
    ValueTask<Outcome<long>> CopyRangeAsync(
        OpenNode from, long fromOffset, OpenNode to, long toOffset, long length, CancellationToken ct);
}
