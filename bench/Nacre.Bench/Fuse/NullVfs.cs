using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Fuse;

/// <summary>
/// A file system that costs nothing: a folder with one file, <c>data</c>, of as many bytes as anybody wrote, which all come out of one page of memory. What
/// is measured over it is the kernel's FUSE and the layer above <see cref="IVfs"/>. Nothing may be cached, so each call comes through.
/// </summary>
internal sealed class NullVfs(bool caches) : IVfs
{
    private const int ReadLimit = 1 << 20;
    private static readonly ReadOnlyMemory<byte>[] Page = [GC.AllocateArray<byte>(ReadLimit, pinned: true)];

    private readonly NullNode _root = new(1, 0x41FF);
    private readonly NullNode _file = new(2, 0x81B6);
    private long _length = 8L << 30;

    public Node Root => _root;

    public IKernelCache? KernelCache { get; set; }

    public void Forget(Node node, ulong count)
    {
    }

    public ValueTask<Outcome<Entry>> LookupAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        name.Span.SequenceEqual("data"u8) ? new(new Entry(_file, Of(_file), caches, caches)) : new(new Failure(Errno.ENOENT));

    public ValueTask<Outcome<Entry>> LookupParentAsync(Node directory, Credentials who, CancellationToken ct) => new(new Entry(_root, Of(_root), false, false));

    public ValueTask<Outcome<CurrentAttributes>> GetAttributesAsync(Node node, OpenNode? file, CancellationToken ct) =>
        new(new CurrentAttributes(Of((NullNode)node), caches));

    public ValueTask<Outcome<CurrentAttributes>> SetAttributesAsync(Node node, OpenNode? file, AttributeChange change, Credentials who, CancellationToken ct)
    {
        if ((change.Fields & AttributeFields.Size) != 0) _length = change.Size;
        return GetAttributesAsync(node, file, ct);
    }

    public ValueTask<Outcome<Opened>> OpenAsync(Node node, int flags, Credentials who, CancellationToken ct) =>
        new(new Opened(new NullFile(node), Direct: false, KeepCache: false));

    public ValueTask<Outcome<ReadResult>> ReadAsync(OpenNode file, long offset, int length, CancellationToken ct)
    {
        length = (int)Math.Clamp(_length - offset, 0, Math.Min(length, ReadLimit));
        var segments = length == ReadLimit ? Page : [Page[0][..length]];
        return new(new ReadResult(segments, length, null));
    }

    public ValueTask<Outcome<(int Length, long End)>> WriteAsync(
        OpenNode file, long offset, ReadOnlyMemory<byte> data, WriteOptions options, CancellationToken ct)
    {
        _length = Math.Max(_length, offset + data.Length);
        return new((data.Length, offset + data.Length));
    }

    public ValueTask<Outcome<Done>> FlushAsync(OpenNode file, ulong owner, CancellationToken ct) => new(default(Done));

    public ValueTask ReleaseAsync(OpenNode file) => default;

    public ValueTask<Outcome<Done>> SyncAsync(OpenNode file, bool dataOnly, CancellationToken ct) => new(default(Done));

    public ValueTask<Outcome<Opened>> OpenDirectoryAsync(Node directory, Credentials who, CancellationToken ct) => OpenAsync(directory, 0, who, ct);

    public ValueTask<Outcome<Done>> ReadDirectoryAsync(OpenNode directory, ulong cookie, bool withEntries, IDirectorySink sink, CancellationToken ct)
    {
        if (cookie == 0) sink.TryAdd("data"u8, 2, 0x8000, 1);
        return new(default(Done));
    }

    public ValueTask<Outcome<FileSystemStatus>> GetStatusAsync(CancellationToken ct) =>
        new(new FileSystemStatus { BlockSize = 4096, Blocks = 1 << 30, FreeBlocks = 1 << 30, AvailableBlocks = 1 << 30, NameLength = 255 });

    public ValueTask<Outcome<ReadOnlyMemory<byte>>> GetXattrAsync(Node node, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        new(new Failure(Errno.ENODATA));

    public ValueTask<Outcome<ReadOnlyMemory<byte>>> ReadLinkAsync(Node node, Credentials who, CancellationToken ct) => new(new Failure(Errno.EINVAL));

    public ValueTask<Outcome<Entry>> MakeNodeAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, ulong device, Credentials who, CancellationToken ct) => new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<Entry>> MakeDirectoryAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, Credentials who, CancellationToken ct) => new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<Entry>> MakeSymlinkAsync(
        Node directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Credentials who, CancellationToken ct) => new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<Entry>> LinkAsync(Node node, Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<Done>> UnlinkAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<Done>> RemoveDirectoryAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<Done>> RenameAsync(
        Node fromDirectory, ReadOnlyMemory<byte> fromName, Node toDirectory, ReadOnlyMemory<byte> toName, uint flags, Credentials who,
        CancellationToken ct) => new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<Created>> CreateAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, int flags, Credentials who, CancellationToken ct) => new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<Done>> SetXattrAsync(
        Node node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, int flags, Credentials who, CancellationToken ct) => new(new Failure(Errno.EROFS));

    public ValueTask<Outcome<ReadOnlyMemory<byte>>> ListXattrsAsync(Node node, Credentials who, CancellationToken ct) => new(default(ReadOnlyMemory<byte>));

    public ValueTask<Outcome<Done>> RemoveXattrAsync(Node node, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        new(new Failure(Errno.ENODATA));

    public ValueTask<Outcome<FileLock>> GetLockAsync(OpenNode file, LockOwner owner, FileLock wanted, CancellationToken ct) => new(new Failure(Errno.ENOSYS));

    public ValueTask<Outcome<Done>> SetLockAsync(OpenNode file, LockOwner owner, FileLock wanted, bool wait, CancellationToken ct) =>
        new(new Failure(Errno.ENOSYS));

    public ValueTask<Outcome<Done>> AllocateAsync(OpenNode file, int mode, long offset, long length, CancellationToken ct) => new(default(Done));

    public ValueTask<Outcome<long>> SeekAsync(OpenNode file, long offset, int whence, CancellationToken ct) => new(offset);

    public ValueTask<Outcome<long>> CopyRangeAsync(OpenNode from, long fromOffset, OpenNode to, long toOffset, long length, CancellationToken ct) => new(length);

    private Attributes Of(NullNode node) => new()
    {
        Inode = node.Inode,
        Mode = node.Mode,
        LinkCount = 1,
        Size = node == _file ? _length : 4096,
        BlockSize = 4096,
    };

    private sealed class NullNode(ulong inode, uint mode) : Node
    {
        public override ulong Inode => inode;

        public override uint FileType => mode & 0xF000;

        public uint Mode => mode;
    }

    private sealed class NullFile(Node node) : OpenNode
    {
        public override Node Node => node;
    }
}
