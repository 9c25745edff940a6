using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>The calls of a disk that can be made to fail.</summary>
internal enum DiskCall { Open, Create, Read, Write, Truncate, Allocate, WriteRecord, Sync, SyncNames, SyncAll, Remove }

/// <summary>
/// The twin of a disk, in memory. Keeps what was flushed apart from what was not, so that a test can drop the difference as
/// a power cut does, and asks <see cref="Fault"/> before each call whether it fails. Pages of 4 KiB.
/// </summary>
internal sealed class MemoryObjectFiles(long capacityBytes) : IObjectFiles
{
    internal const int PageBytes = 4096;

    private readonly Dictionary<ObjectKey, MemoryInode> _names = [];
    private readonly Dictionary<ObjectKey, MemoryInode> _flushedNames = [];
    private readonly Dictionary<string, byte[]> _notes = [];
    private long _pages;

    internal Lock Gate { get; } = new();

    /// <summary>Returns the errno the call fails with, 0 to let it go on. Called outside locks: it may block to park a call.</summary>
    public Func<DiskCall, ObjectKey, int>? Fault { get; set; }

    public long MaxFileBytes { get; init; } = (1L << 44) - PageBytes;

    public string BackingIdentity { get; } = "memory " + Guid.NewGuid();

    public bool FileSyncCoversName => false;

    public FileSystemSpace QuerySpace()
    {
        lock (Gate) return new FileSystemSpace(capacityBytes, capacityBytes - _pages * PageBytes, 1 << 20, (1 << 20) - _names.Count);
    }

    /// <summary>A power cut: everything not flushed is gone. Handles opened before are of no use after.</summary>
    public void DropUnflushed()
    {
        lock (Gate)
        {
            _names.Clear();
            _pages = 0;
            foreach (var (key, inode) in _flushedNames)
            {
                _names[key] = inode.Flushed();
                _pages += _names[key].PageCount;
            }
            _flushedNames.Clear();
            foreach (var (key, inode) in _names) _flushedNames[key] = inode;
        }
    }

    public IObjectFile? Open(ObjectKey key)
    {
        Check(DiskCall.Open, key);
        lock (Gate) return _names.TryGetValue(key, out var inode) ? new MemoryObjectFile(this, key, inode) : null;
    }

    public IObjectFile Create(ObjectKey key)
    {
        Check(DiskCall.Create, key);
        lock (Gate)
        {
            if (!_names.TryGetValue(key, out var inode)) _names[key] = inode = new MemoryInode();
            return new MemoryObjectFile(this, key, inode);
        }
    }

    public bool Remove(ObjectKey key)
    {
        Check(DiskCall.Remove, key);
        lock (Gate)
        {
            if (!_names.Remove(key, out var inode)) return false;
            _pages -= inode.PageCount;
            inode.Unlinked = true;
            return true;
        }
    }

    public void SyncNames(IReadOnlyList<ObjectKey> keys)
    {
        foreach (var key in keys) Check(DiskCall.SyncNames, key);
        lock (Gate)
        {
            foreach (var key in keys)
            {
                if (_names.TryGetValue(key, out var inode)) _flushedNames[key] = inode;
                else _flushedNames.Remove(key);
            }
        }
    }

    public void SyncAll()
    {
        Check(DiskCall.SyncAll, default);
        lock (Gate)
        {
            _flushedNames.Clear();
            foreach (var (key, inode) in _names)
            {
                inode.Flush();
                _flushedNames[key] = inode;
            }
        }
    }

    public IEnumerable<ObjectKey> List()
    {
        lock (Gate) return [.. _names.Keys];
    }

    public byte[]? ReadNote(string name)
    {
        lock (Gate) return _notes.GetValueOrDefault(name);
    }

    public void WriteNote(string name, byte[]? content)
    {
        lock (Gate)
        {
            if (content == null) _notes.Remove(name);
            else _notes[name] = content;
        }
    }

    public void Dispose()
    {
    }

    internal void Check(DiskCall call, ObjectKey key)
    {
        if (Fault?.Invoke(call, key) is { } errno and not 0) throw new FsException(errno);
    }

    /// <summary>Takes pages from the disk; ENOSPC when there are not as many. Under <see cref="Gate"/>.</summary>
    internal void TakePages(int count)
    {
        if ((_pages + count) * PageBytes > capacityBytes) throw new FsException(Errno.ENOSPC);
        _pages += count;
    }
}

/// <summary>A file of the twin: what is there, and what was flushed.</summary>
internal sealed class MemoryInode
{
    private State _now = new([], 0, 0, 0, null);
    private State? _flushed;

    public bool Unlinked { get; set; }
    public SortedDictionary<long, byte[]> Pages => _now.Pages;
    public int PageCount => _now.Pages.Count;
    public long Size { get => _now.Size; set => _now = _now with { Size = value }; }
    public long MTime { get => _now.MTime; set => _now = _now with { MTime = value }; }
    public long ATime { get => _now.ATime; set => _now = _now with { ATime = value }; }
    public ObjectRecord? Record { get => _now.Record; set => _now = _now with { Record = value }; }

    public void Flush() => _flushed = Copy(_now);

    /// <summary>The file as a power cut leaves it.</summary>
    public MemoryInode Flushed()
    {
        var after = new MemoryInode { _now = _flushed is { } state ? Copy(state) : new([], 0, 0, 0, null) };
        after.Flush();
        return after;
    }

    private static State Copy(State state) =>
        state with { Pages = new(state.Pages.ToDictionary(page => page.Key, page => (byte[])page.Value.Clone())) };

    private sealed record State(SortedDictionary<long, byte[]> Pages, long Size, long MTime, long ATime, ObjectRecord? Record);
}

internal sealed class MemoryObjectFile(MemoryObjectFiles disk, ObjectKey key, MemoryInode inode) : IObjectFile
{
    private const int PageBytes = MemoryObjectFiles.PageBytes;

    public FileStatus Status()
    {
        lock (disk.Gate) return new FileStatus(inode.Size, inode.PageCount * (PageBytes / 512), inode.MTime, inode.ATime);
    }

    public int Read(long offset, Span<byte> into, bool onlyCached)
    {
        disk.Check(DiskCall.Read, key);
        lock (disk.Gate)
        {
            int length = (int)Math.Clamp(inode.Size - offset, 0, into.Length);
            for (int done = 0; done < length;)
            {
                var piece = into[done..length];
                int inPage = (int)((offset + done) % PageBytes);
                piece = piece[..Math.Min(piece.Length, PageBytes - inPage)];
                if (inode.Pages.TryGetValue((offset + done) / PageBytes, out var page)) page.AsSpan(inPage, piece.Length).CopyTo(piece);
                else piece.Clear();
                done += piece.Length;
            }
            return length;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        disk.Check(DiskCall.Write, key);
        lock (disk.Gate)
        {
            while (data.Length > 0)
            {
                int inPage = (int)(offset % PageBytes);
                var piece = data[..Math.Min(data.Length, PageBytes - inPage)];
                piece.CopyTo(PageAt(offset / PageBytes).AsSpan(inPage));
                offset += piece.Length;
                inode.Size = Math.Max(inode.Size, offset);
                data = data[piece.Length..];
            }
            inode.MTime = 1;
        }
    }

    public void Truncate(long size)
    {
        disk.Check(DiskCall.Truncate, key);
        if (size > disk.MaxFileBytes) throw new FsException(Errno.EFBIG);
        lock (disk.Gate)
        {
            if (size < inode.Size) Drop(size, long.MaxValue);
            inode.Size = size;
        }
    }

    public void Allocate(long offset, long length, bool keepSize)
    {
        disk.Check(DiskCall.Allocate, key);
        lock (disk.Gate)
        {
            for (long page = offset / PageBytes; page * PageBytes < offset + length; page++) PageAt(page);
            if (!keepSize) inode.Size = Math.Max(inode.Size, offset + length);
        }
    }

    public void PunchHole(long offset, long length)
    {
        disk.Check(DiskCall.Allocate, key);
        lock (disk.Gate) Drop(offset, offset + length);
    }

    public long Seek(long offset, bool hole)
    {
        lock (disk.Gate)
        {
            if (offset >= inode.Size) return hole ? offset : -1;
            for (long at = offset; at < inode.Size; at = (at / PageBytes + 1) * PageBytes)
                if (inode.Pages.ContainsKey(at / PageBytes) != hole) return at;
            return hole ? inode.Size : -1;
        }
    }

    public int Map(ulong start, ulong length, uint flags, Span<FiemapExtent> extents)
    {
        lock (disk.Gate)
        {
            int count = 0;
            long last = inode.PageCount > 0 ? inode.Pages.Keys.Max() : -1;
            foreach (long page in inode.Pages.Keys)
            {
                ulong logical = (ulong)page * PageBytes;
                if (logical + PageBytes <= start || (logical >= start && logical - start >= length)) continue;
                if (count < extents.Length)
                    extents[count] = new FiemapExtent { Logical = logical, Physical = logical, Length = PageBytes, Flags = page == last ? FiemapExtent.FlagLast : 0 };
                else if (extents.Length > 0) break;
                count++;
            }
            return count;
        }
    }

    public bool TryReadRecord(out ObjectRecord record)
    {
        lock (disk.Gate)
        {
            record = inode.Record.GetValueOrDefault();
            return inode.Record != null;
        }
    }

    public void WriteRecord(in ObjectRecord record)
    {
        disk.Check(DiskCall.WriteRecord, key);
        lock (disk.Gate) inode.Record = record;
    }

    public void SetTimes(long atime, long mtime)
    {
        lock (disk.Gate)
        {
            inode.ATime = atime;
            inode.MTime = mtime;
        }
    }

    public void Advise(long offset, long length, bool willNeed)
    {
    }

    public void Sync()
    {
        disk.Check(DiskCall.Sync, key);
        lock (disk.Gate) inode.Flush();
    }

    public void Dispose()
    {
    }

    private byte[] PageAt(long number)
    {
        if (inode.Pages.TryGetValue(number, out var page)) return page;
        if (!inode.Unlinked) disk.TakePages(1);
        return inode.Pages[number] = new byte[PageBytes];
    }

    /// <summary>Frees whole pages of [start, end) and clears the parts of others.</summary>
    private void Drop(long start, long end)
    {
        foreach (long number in inode.Pages.Keys.ToList())
        {
            long first = number * PageBytes, from = Math.Max(start, first), to = Math.Min(end, first + PageBytes);
            if (from >= to) continue;
            if (to - from < PageBytes)
            {
                inode.Pages[number].AsSpan((int)(from - first), (int)(to - from)).Clear();
                continue;
            }
            inode.Pages.Remove(number);
            if (!inode.Unlinked) disk.TakePages(-1);
        }
    }
}
