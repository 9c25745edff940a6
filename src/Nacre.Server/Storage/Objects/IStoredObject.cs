using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>
/// One object in use. Calls may come from several threads; what must not overlap (a write and another write or a truncate of
/// the same bytes) is kept apart by <see cref="LockRangeAsync"/>. Calls that touch the file may wait for the disk and throw
/// <see cref="FsException"/>; all of them throw ENOENT once the object is destroyed.
/// </summary>
public interface IStoredObject : IDisposable
{
    LuFid Fid { get; }

    /// <summary>A snapshot; never waits for the disk.</summary>
    ObjectAttributes Attributes { get; }

    /// <summary>A flush of this object is under way: a write may have to wait for it.</summary>
    bool IsFlushing { get; }

    /// <summary>Excludes others from bytes [start, end); dispose the result. Waits in order of arrival.</summary>
    ValueTask<HeldRange> LockRangeAsync(long start, long end, CancellationToken ct);

    /// <summary>
    /// Bytes read before the end of the object, less than asked only there; -1 when <paramref name="onlyCached"/> and the
    /// disk would have to be waited for.
    /// </summary>
    int Read(long offset, Span<byte> into, bool onlyCached = false);

    /// <summary>Writes the bytes only; a call of <see cref="Commit"/> completes one or several of these.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Stores attributes, and takes up size and blocks from the file. Makes the file if there is none.</summary>
    void Commit(in ObjectChange change);

    /// <summary>Sets the size; bytes cut off read as zeros should the object grow again.</summary>
    void Truncate(long size, in ObjectChange change);

    /// <summary>Allocates [start, end); extends the size unless <paramref name="keepSize"/>.</summary>
    void Allocate(long start, long end, bool keepSize, in ObjectChange change);

    /// <summary>Frees [start, end), which then reads as zeros; the size stays.</summary>
    void PunchHole(long start, long end, in ObjectChange change);

    /// <summary>SEEK_DATA or SEEK_HOLE from <paramref name="offset"/>; -1 when there is no data behind it (ENXIO).</summary>
    long Seek(long offset, bool hole);

    /// <summary>
    /// The kernel's map of [start, start + length): fills <paramref name="extents"/> and returns how many there are; with an
    /// empty span only counts. EOPNOTSUPP where the backing file system cannot tell, EBADR for unknown flags.
    /// </summary>
    int Map(ulong start, ulong length, uint flags, Span<FiemapExtent> extents);

    /// <summary>Bytes of [start, end) that have blocks, written or not.</summary>
    long AllocatedBytes(long start, long end);

    /// <summary>Prefetches the range into the page cache, or drops it from there.</summary>
    void Advise(long start, long end, bool willNeed);

    /// <summary>
    /// Makes all completed changes durable; calls that arrive together share a flush. With
    /// <paramref name="reportPast"/> also fails when an earlier flush in the background failed.
    /// </summary>
    ValueTask SyncAsync(bool reportPast, CancellationToken ct);
}
