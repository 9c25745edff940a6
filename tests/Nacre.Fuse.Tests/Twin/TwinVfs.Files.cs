using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Twin;

internal sealed partial class TwinVfs
{
    private const int OpenExclusive = 0x80, OpenTruncate = 0x200, OpenAppend = 0x400, OpenDirect = 0x4000;
    private const int KeepSize = 1, PunchHole = 2, ZeroRange = 16;
    private const int SeekData = 3;

    /// <summary>Bytes that <see cref="ReadAsync"/> handed out and that were not disposed.</summary>
    public int ReadsOutstanding => Volatile.Read(ref _readsOutstanding);

    private int _readsOutstanding;

    public async ValueTask<Outcome<Opened>> OpenAsync(Node node, int flags, Credentials who, CancellationToken ct)
    {
        await EnterAsync("open", node, ct);
        lock (_gate)
        {
            return Open((TwinNode)node, flags);
        }
    }

    public async ValueTask<Outcome<Created>> CreateAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, int flags, Credentials who, CancellationToken ct)
    {
        await EnterAsync("create", directory, ct);
        lock (_gate)
        {
            var parent = (TwinNode)directory;
            var node = parent.Child(Name(name));
            if (node is not null && (flags & OpenExclusive) != 0) return new Failure(Errno.EEXIST);
            node ??= MakeChild(parent, Name(name), TwinNode.Regular | (mode & 0xFFF), umask, who);
            return new Created(Reference(node), Open(node, flags));
        }
    }

    public async ValueTask<Outcome<ReadResult>> ReadAsync(OpenNode file, long offset, int length, CancellationToken ct)
    {
        await EnterAsync("read", file.Node, ct);
        lock (_gate)
        {
            var node = ((TwinFile)file).Twin;
            byte[] bytes = node.Bytes.Read(offset, length);
            node.AccessTime = Now();
            Interlocked.Increment(ref _readsOutstanding);
            // In several segments, as a cache of pages has them.
            var segments = bytes.Chunk(TwinBytes.PageSize * 16).Select(chunk => (ReadOnlyMemory<byte>)chunk).ToArray();
            return new ReadResult(segments, bytes.Length, new Releaser(this));
        }
    }

    public async ValueTask<Outcome<(int Length, long End)>> WriteAsync(
        OpenNode file, long offset, ReadOnlyMemory<byte> data, WriteOptions options, CancellationToken ct)
    {
        await EnterAsync((options & WriteOptions.FromPageCache) != 0 ? "writeback" : "write", file.Node, ct);
        lock (_gate)
        {
            var node = ((TwinFile)file).Twin;
            if ((options & WriteOptions.Append) != 0) offset = node.Bytes.Length;
            if ((options & WriteOptions.KillPrivileges) != 0) KillPrivileges(node);
            if ((options & WriteOptions.Sync) != 0) Counts.AddOrUpdate("sync-write", 1, (_, count) => count + 1);
            node.Bytes.Write(offset, data.Span);
            Touch(node);
            return (data.Length, offset + data.Length);
        }
    }

    public async ValueTask<Outcome<Done>> FlushAsync(OpenNode file, ulong owner, CancellationToken ct)
    {
        await EnterAsync("flush", file.Node, ct);
        lock (_gate)
        {
            ((TwinFile)file).Twin.Locks.RemoveAll(owner, isFlock: false);
            return default(Done);
        }
    }

    public ValueTask ReleaseAsync(OpenNode file)
    {
        lock (_gate)
        {
            ((TwinFile)file).Twin.Opens--;
            Counts.AddOrUpdate("release", 1, (_, count) => count + 1);
            return default;
        }
    }

    public async ValueTask<Outcome<Done>> SyncAsync(OpenNode file, bool dataOnly, CancellationToken ct)
    {
        await EnterAsync(dataOnly ? "fdatasync" : "fsync", file.Node, ct);
        return default(Done);
    }

    public async ValueTask<Outcome<Done>> AllocateAsync(OpenNode file, int mode, long offset, long length, CancellationToken ct)
    {
        await EnterAsync("fallocate", file.Node, ct);
        lock (_gate)
        {
            var node = ((TwinFile)file).Twin;
            if ((mode & ~(KeepSize | PunchHole | ZeroRange)) != 0) return new Failure(Errno.EOPNOTSUPP);
            if ((mode & (PunchHole | ZeroRange)) != 0) node.Bytes.Punch(offset, length);
            if ((mode & PunchHole) == 0) node.Bytes.Allocate(offset, length, (mode & KeepSize) != 0);
            Touch(node);
            return default(Done);
        }
    }

    public ValueTask<Outcome<long>> SeekAsync(OpenNode file, long offset, int whence, CancellationToken ct)
    {
        lock (_gate)
        {
            var bytes = ((TwinFile)file).Twin.Bytes;
            long found = offset >= bytes.Length ? -1 : bytes.Seek(offset, whence == SeekData);
            return found < 0 ? new(new Failure(Errno.ENXIO)) : new(found);
        }
    }

    public async ValueTask<Outcome<long>> CopyRangeAsync(
        OpenNode from, long fromOffset, OpenNode to, long toOffset, long length, CancellationToken ct)
    {
        await EnterAsync("copy", from.Node, ct);
        lock (_gate)
        {
            byte[] bytes = ((TwinFile)from).Twin.Bytes.Read(fromOffset, (int)Math.Min(length, 1 << 20));
            ((TwinFile)to).Twin.Bytes.Write(toOffset, bytes);
            Touch(((TwinFile)to).Twin);
            return bytes.LongLength;
        }
    }

    private Opened Open(TwinNode node, int flags)
    {
        if ((flags & OpenTruncate) != 0) SetSize(node, 0);
        node.Opens++;
        return new Opened(new TwinFile(node, flags), (flags & (OpenAppend | OpenDirect)) != 0, KeepCache: true);
    }

    private sealed class Releaser(TwinVfs vfs) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref vfs._readsOutstanding);
    }
}
