using System.Collections.Concurrent;
using System.Globalization;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>
/// Objects as sparse files: <c>objects/SEQUENCE/xx/OID</c>, all hexadecimal, xx the low byte of the oid, so that a million
/// objects make folders of four thousand. A file holds up to <see cref="MaxFileBytes"/>: 16 TiB - 4 KiB on ext4 with 4 KiB
/// blocks, 8 EiB - 1 on XFS.
/// </summary>
internal sealed class LinuxObjectFiles : IObjectFiles
{
    private const long Ext4 = 0xEF53, Xfs = 0x5846_5342, Btrfs = 0x9123_683E;

    private readonly string _root;
    private readonly string _objects;
    private readonly bool _fileSyncCoversName;

    /// <summary>Folders in which a folder was made and not flushed yet.</summary>
    private readonly ConcurrentDictionary<string, bool> _unsyncedParents = new();

    /// <exception cref="InvalidDataException">The file system lacks something; one line that says what.</exception>
    public LinuxObjectFiles(string root)
    {
        _root = root;
        _objects = Path.Combine(root, "objects");
        Directory.CreateDirectory(_objects);
        ObjectSystemCalls.SyncFolder(root);
        BackingIdentity = string.Create(CultureInfo.InvariantCulture, $"device {ObjectSystemCalls.Device(root):x}");
        long type = ObjectSystemCalls.FileSystem(root).Type;
        // These flush a new file's name with the file; the C library's manual does not promise it for others.
        _fileSyncCoversName = type is Ext4 or Xfs or Btrfs;
        MaxFileBytes = Probe();
    }

    public long MaxFileBytes { get; }

    public string BackingIdentity { get; }

    public FileSystemSpace QuerySpace() => ObjectSystemCalls.FileSystem(_root).Space;

    public IObjectFile? Open(ObjectKey key)
    {
        int fd = ObjectSystemCalls.OpenFile(PathOf(key), create: false);
        return fd < 0 ? null : new LinuxObjectFile(fd);
    }

    public IObjectFile Create(ObjectKey key)
    {
        string path = PathOf(key);
        int fd = ObjectSystemCalls.OpenFile(path, create: true);
        if (fd < 0)
        {
            MakeFolder(key);
            fd = ObjectSystemCalls.OpenFile(path, create: true);
        }
        return fd < 0 ? throw new FsException(Errno.EIO) : new LinuxObjectFile(fd);
    }

    public bool Remove(ObjectKey key) => ObjectSystemCalls.Unlink(PathOf(key));

    public bool FileSyncCoversName => _fileSyncCoversName;

    public void SyncNames(IReadOnlyList<ObjectKey> keys)
    {
        foreach (string folder in keys.Select(FolderOf).Distinct())
            if (Directory.Exists(folder)) ObjectSystemCalls.SyncFolder(folder);
        foreach (string parent in _unsyncedParents.Keys)
            if (_unsyncedParents.TryRemove(parent, out _)) ObjectSystemCalls.SyncFolder(parent);
    }

    public void SyncAll() => ObjectSystemCalls.SyncFileSystem(_root);

    public IEnumerable<ObjectKey> List()
    {
        foreach (string sequenceFolder in Directory.EnumerateDirectories(_objects))
        {
            if (!TryParseHex(Path.GetFileName(sequenceFolder.AsSpan()), out ulong sequence)) continue;
            foreach (string file in Directory.EnumerateFiles(sequenceFolder, "*", SearchOption.AllDirectories))
                if (TryParseHex(Path.GetFileName(file.AsSpan()), out ulong oid) && oid <= uint.MaxValue)
                    yield return new ObjectKey(sequence, (uint)oid);
        }
    }

    public byte[]? ReadNote(string name)
    {
        string path = Path.Combine(_root, name);
        return File.Exists(path) ? File.ReadAllBytes(path) : null;
    }

    public void WriteNote(string name, byte[]? content)
    {
        string path = Path.Combine(_root, name);
        if (content == null)
        {
            ObjectSystemCalls.Unlink(path);
        }
        else
        {
            string draft = path + ".new";
            using (var file = new FileStream(draft, FileMode.Create))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            File.Move(draft, path, overwrite: true);
        }
        ObjectSystemCalls.SyncFolder(_root);
    }

    public void Dispose()
    {
    }

    private string FolderOf(ObjectKey key) =>
        string.Create(CultureInfo.InvariantCulture, $"{_objects}/{key.Sequence:x}/{key.Oid & 0xFF:x2}");

    private string PathOf(ObjectKey key) =>
        string.Create(CultureInfo.InvariantCulture, $"{_objects}/{key.Sequence:x}/{key.Oid & 0xFF:x2}/{key.Oid:x8}");

    private void MakeFolder(ObjectKey key)
    {
        string folder = FolderOf(key);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The usual reason is a full disk; asking for the space tells it from a broken one.
            throw new FsException(QuerySpace() is { Free: > 0, FreeFiles: > 0 } ? Errno.EIO : Errno.ENOSPC);
        }
        _unsyncedParents[Path.GetDirectoryName(folder)!] = true;
        _unsyncedParents[_objects] = true;
    }

    private static bool TryParseHex(ReadOnlySpan<char> text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    /// <summary>Tries what every object needs on a scratch file, and finds how long a file may be.</summary>
    private long Probe()
    {
        string path = Path.Combine(_root, "probe");
        int fd = ObjectSystemCalls.OpenFile(path, create: true);
        if (fd < 0) throw new InvalidDataException($"cannot make a file in {_root}");
        try
        {
            ObjectSystemCalls.SetRecord(fd, default);
            return LongestFile(fd);
        }
        catch (FsException e) when (e.Errno == Errno.EOPNOTSUPP)
        {
            throw new InvalidDataException($"the file system of {_root} has no user extended attributes; use ext4 or XFS", e);
        }
        finally
        {
            ObjectSystemCalls.CloseFile(fd);
            ObjectSystemCalls.Unlink(path);
        }
    }

    private static long LongestFile(int fd)
    {
        if (ObjectSystemCalls.TryTruncate(fd, long.MaxValue)) return long.MaxValue;
        const int Unit = 4096;
        long fits = 0, tooLong = long.MaxValue / Unit;
        while (tooLong - fits > 1)
        {
            long middle = fits + (tooLong - fits) / 2;
            if (ObjectSystemCalls.TryTruncate(fd, middle * Unit)) fits = middle;
            else tooLong = middle;
        }
        return fits * Unit;
    }
}

/// <summary>An open object file. Not closed by a finalizer: <see cref="StoredObject"/> owns it.</summary>
internal sealed class LinuxObjectFile(int fd) : IObjectFile
{
    public FileStatus Status() => ObjectSystemCalls.Status(fd);

    public int Read(long offset, Span<byte> into, bool onlyCached) => ObjectSystemCalls.Read(fd, offset, into, onlyCached);

    public void Write(long offset, ReadOnlySpan<byte> data) => ObjectSystemCalls.Write(fd, offset, data);

    public void Truncate(long size) => ObjectSystemCalls.Truncate(fd, size);

    public void Allocate(long offset, long length, bool keepSize) =>
        ObjectSystemCalls.Allocate(fd, keepSize ? FallocateMode.KeepSize : FallocateMode.None, offset, length);

    public void PunchHole(long offset, long length) =>
        ObjectSystemCalls.Allocate(fd, FallocateMode.KeepSize | FallocateMode.PunchHole, offset, length);

    public long Seek(long offset, bool hole)
    {
        long found = ObjectSystemCalls.Seek(fd, offset, hole);
        return found < 0 && hole ? offset : found;
    }

    public int Map(ulong start, ulong length, uint flags, Span<FiemapExtent> extents) =>
        ObjectSystemCalls.Map(fd, start, length, flags, extents);

    public bool TryReadRecord(out ObjectRecord record) => ObjectSystemCalls.TryGetRecord(fd, out record);

    public void WriteRecord(in ObjectRecord record) => ObjectSystemCalls.SetRecord(fd, record);

    public void SetTimes(long atime, long mtime) => ObjectSystemCalls.SetTimes(fd, atime, mtime);

    public void Advise(long offset, long length, bool willNeed) => ObjectSystemCalls.Advise(fd, offset, length, willNeed);

    public void Sync() => ObjectSystemCalls.Sync(fd);

    public void Dispose() => ObjectSystemCalls.CloseFile(fd);
}
