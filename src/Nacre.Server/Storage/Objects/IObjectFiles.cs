using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>Names one object's file.</summary>
internal readonly record struct ObjectKey(ulong Sequence, uint Oid)
{
    public static ObjectKey Of(in LuFid fid) => new(fid.Sequence, fid.ObjectId);

    public LuFid Fid => new(Sequence, Oid);
}

/// <summary>What the file's inode says. Blocks of 512 bytes, times in seconds.</summary>
internal readonly record struct FileStatus(long Size, long Blocks, long MTime, long ATime);

/// <summary>Bytes and inodes of the file system that holds the objects.</summary>
internal readonly record struct FileSystemSpace(long Total, long Free, long Files, long FreeFiles);

/// <summary>
/// The disk below an <see cref="ObjectStore"/>: Linux files, or the twin in memory that tests break on purpose. Every failure
/// is an <see cref="FsException"/> with the disk's error number.
/// </summary>
internal interface IObjectFiles : IDisposable
{
    long MaxFileBytes { get; }

    /// <summary>Equal for two folders of one file system.</summary>
    string BackingIdentity { get; }

    FileSystemSpace QuerySpace();

    /// <summary>Null when there is no such file.</summary>
    IObjectFile? Open(ObjectKey key);

    /// <summary>Makes the file, or opens the one that is there.</summary>
    IObjectFile Create(ObjectKey key);

    /// <summary>False when there was no such file. Open handles stay good.</summary>
    bool Remove(ObjectKey key);

    /// <summary>Flushing a file also makes its name durable.</summary>
    bool FileSyncCoversName { get; }

    /// <summary>Makes creation and removal of these names durable.</summary>
    void SyncNames(IReadOnlyList<ObjectKey> keys);

    /// <summary>Makes everything durable.</summary>
    void SyncAll();

    IEnumerable<ObjectKey> List();

    /// <summary>A small file of the store itself; null when there is none.</summary>
    byte[]? ReadNote(string name);

    /// <summary>Replaces the note atomically and durably; null removes it.</summary>
    void WriteNote(string name, byte[]? content);
}

internal interface IObjectFile : IDisposable
{
    FileStatus Status();

    /// <summary>As <see cref="IStoredObject.Read"/>.</summary>
    int Read(long offset, Span<byte> into, bool onlyCached);

    /// <summary>Writes all of it.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    void Truncate(long size);
    void Allocate(long offset, long length, bool keepSize);
    void PunchHole(long offset, long length);

    /// <summary>-1: no data behind the offset. A hole behind the end is the offset itself.</summary>
    long Seek(long offset, bool hole);

    int Map(ulong start, ulong length, uint flags, Span<FiemapExtent> extents);

    /// <summary>False when the file has no record yet (made, but its first commit never came).</summary>
    bool TryReadRecord(out ObjectRecord record);

    void WriteRecord(in ObjectRecord record);

    void SetTimes(long atime, long mtime);
    void Advise(long offset, long length, bool willNeed);

    /// <summary>Makes bytes and attributes durable, not the name.</summary>
    void Sync();
}
