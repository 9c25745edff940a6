using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

// Bytes and attributes.
internal sealed partial class StoredObject
{
    public int Read(long offset, Span<byte> into, bool onlyCached = false)
    {
        if (_destroyed) throw new FsException(Errno.ENOENT);
        return _file?.Read(offset, into, onlyCached) ?? 0;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        CheckRange(offset, offset + data.Length);
        var file = Materialise();
        try
        {
            file.Write(offset, data);
        }
        catch (FsException)
        {
            // Part of it may be in the file: size and blocks have to follow.
            Commit(default);
            throw;
        }
    }

    public void Truncate(long size, in ObjectChange change)
    {
        CheckRange(0, size);
        if (size == 0 && _file == null) return;
        Materialise().Truncate(size);
        Commit(change);
    }

    public void Allocate(long start, long end, bool keepSize, in ObjectChange change)
    {
        CheckRange(start, end);
        var file = Materialise();
        try
        {
            file.Allocate(start, end - start, keepSize);
        }
        catch (FsException)
        {
            Commit(default);
            throw;
        }
        Commit(change);
    }

    public void PunchHole(long start, long end, in ObjectChange change)
    {
        if (_destroyed) throw new FsException(Errno.ENOENT);
        if (_file is not { } file) return;
        end = Math.Min(end, _store.MaxObjectBytes);
        if (start < end) file.PunchHole(start, end - start);
        Commit(change);
    }

    public long Seek(long offset, bool hole)
    {
        if (_destroyed) throw new FsException(Errno.ENOENT);
        if (_file is { } file && offset <= _store.MaxObjectBytes) return file.Seek(offset, hole);
        return hole ? offset : -1;
    }

    public int Map(ulong start, ulong length, uint flags, Span<FiemapExtent> extents)
    {
        if (_destroyed) throw new FsException(Errno.ENOENT);
        if (_file is not { } file || start >= (ulong)_store.MaxObjectBytes) return 0;
        return file.Map(start, Math.Min(length, (ulong)_store.MaxObjectBytes - start), flags, extents);
    }

    public long AllocatedBytes(long start, long end)
    {
        if (_file == null || start >= end) return 0;
        Span<FiemapExtent> extents = stackalloc FiemapExtent[16];
        long bytes = 0;
        while (start < end)
        {
            int count = Map((ulong)start, (ulong)(end - start), 0, extents);
            if (count == 0) break;
            long last = start;
            foreach (ref readonly var extent in extents[..count])
            {
                long from = Math.Max(start, (long)extent.Logical), to = Math.Min(end, (long)(extent.Logical + extent.Length));
                if (to > from) bytes += to - from;
                last = Math.Max(last, to);
            }
            if (count < extents.Length || last == start) break;
            start = last;
        }
        return bytes;
    }

    public void Advise(long start, long end, bool willNeed) => _file?.Advise(start, end - start, willNeed);

    public void Commit(in ObjectChange change)
    {
        var file = Materialise();
        lock (_committing)
        {
            if (_destroyed) throw new FsException(Errno.ENOENT);
            // Inside the lock: the last status taken is the last one stored.
            var status = file.Status();
            ObjectAttributes before, after;
            lock (_gate)
            {
                before = _attributes;
                after = Apply(before, status, change);
                _attributes = after;
            }
            _store.Account(before, after, objects: 0);
            MarkChanged();
            file.WriteRecord(ObjectRecord.From(after));
            // The kernel stamps each write with its own clock.
            if (status.MTime != after.MTime || status.ATime != after.ATime) file.SetTimes(after.ATime, after.MTime);
        }
    }

    private static ObjectAttributes Apply(in ObjectAttributes before, FileStatus status, in ObjectChange change)
    {
        var after = before;
        after.Size = status.Size;
        after.Blocks = status.Blocks;
        after.MTime = change.MTime ?? before.MTime;
        after.ATime = change.ATime ?? before.ATime;
        after.CTime = change.CTime ?? before.CTime;
        after.DataVersion = Math.Max(change.DataVersion ?? 0, before.DataVersion);
        ApplyOwner(ref after, ref after.Uid, change.Uid, ObjectOwnerIds.Uid, change.OnlyPristineOwners);
        ApplyOwner(ref after, ref after.Gid, change.Gid, ObjectOwnerIds.Gid, change.OnlyPristineOwners);
        ApplyOwner(ref after, ref after.ProjectId, change.ProjectId, ObjectOwnerIds.Project, change.OnlyPristineOwners);
        if (!after.Parent.IsSet) after.Parent = change.Parent;
        return after;
    }

    private static void ApplyOwner(
        ref ObjectAttributes attributes, ref uint id, uint? wanted, ObjectOwnerIds mark, bool onlyPristine)
    {
        if (wanted is not { } value) return;
        if (onlyPristine && (attributes.OwnersSet & mark) != 0) return;
        id = value;
        attributes.OwnersSet |= mark;
    }
}
