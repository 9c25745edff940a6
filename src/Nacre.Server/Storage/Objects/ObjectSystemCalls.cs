using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>
/// The operating-system calls of the object store, and nothing else: Linux x86-64, glibc. Interrupted calls are repeated;
/// failures are <see cref="FsException"/> with the call's errno, unless the docstring says otherwise.
/// </summary>
internal static unsafe partial class ObjectSystemCalls
{
    private const string RecordName = "user.nacre";
    private const int AtFdCwd = -100;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasicStats = 0x7FF;
    private const int OpenReadWrite = 0x2, OpenCreate = 0x40, OpenDirectory = 0x1_0000, OpenNoATime = 0x4_0000,
        OpenCloseOnExec = 0x8_0000;
    private const int ReadNoWait = 0x8;
    private const int SeekData = 3, SeekHole = 4;
    private const nuint FiemapRequest = 0xC020_660B;
    private const int AdviceWillNeed = 3, AdviceDontNeed = 4;
    private const int ENODATA = 61;

    /// <summary>Opens for reading and writing; -1 when there is no such file. Reads leave the atime alone where allowed.</summary>
    public static int OpenFile(string path, bool create)
    {
        int flags = OpenReadWrite | OpenCloseOnExec | (create ? OpenCreate : 0);
        while (true)
        {
            int fd = open(path, flags | OpenNoATime, 0b110_000_000);
            if (fd >= 0) return fd;
            int errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.EPERM) fd = open(path, flags, 0b110_000_000);
            if (fd >= 0) return fd;
            errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.ENOENT) return -1;
            // Too many open files: passes when others are closed; clients ask again after EAGAIN.
            if (errno is Errno.EMFILE or Errno.ENFILE) throw new FsException(Errno.EAGAIN);
            if (errno != Errno.EINTR) throw new FsException(errno);
        }
    }

    public static void CloseFile(int fd) => _ = close(fd);

    public static FileStatus Status(int fd)
    {
        byte* s = stackalloc byte[256];
        if (statx(fd, "", AtEmptyPath, StatxBasicStats, s) != 0) Throw();
        return new FileStatus(Size: *(long*)(s + 40), Blocks: *(long*)(s + 48), MTime: *(long*)(s + 112), ATime: *(long*)(s + 64));
    }

    /// <summary>Major and minor number of the device that holds the folder.</summary>
    public static ulong Device(string folder)
    {
        byte* s = stackalloc byte[256];
        if (statx(AtFdCwd, folder, 0, StatxBasicStats, s) != 0) Throw();
        return (ulong)*(uint*)(s + 136) << 32 | *(uint*)(s + 140);
    }

    /// <summary>Bytes read until the buffer is full or the file ends; -1 when onlyCached and something is not in the page cache.</summary>
    public static int Read(int fd, long offset, Span<byte> into, bool onlyCached)
    {
        int done = 0;
        fixed (byte* start = into)
        {
            while (done < into.Length)
            {
                nint n = onlyCached
                    ? ReadCached(fd, start + done, into.Length - done, offset + done)
                    : pread(fd, start + done, (nuint)(into.Length - done), offset + done);
                if (n == 0) break;
                if (n > 0) done += (int)n;
                else
                {
                    int errno = Marshal.GetLastPInvokeError();
                    if (onlyCached && errno is (Errno.EAGAIN or Errno.EOPNOTSUPP)) return -1;
                    if (errno != Errno.EINTR) throw new FsException(errno);
                }
            }
        }
        return done;
    }

    private static nint ReadCached(int fd, byte* into, int length, long offset)
    {
        var vector = new IoVector { Base = into, Length = (nuint)length };
        return preadv2(fd, &vector, 1, offset, ReadNoWait);
    }

    public static void Write(int fd, long offset, ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            for (int done = 0; done < data.Length;)
            {
                nint n = pwrite(fd, start + done, (nuint)(data.Length - done), offset + done);
                if (n >= 0) done += (int)n;
                else ThrowUnlessInterrupted();
            }
        }
    }

    public static void Truncate(int fd, long size)
    {
        while (ftruncate(fd, size) != 0) ThrowUnlessInterrupted();
    }

    /// <summary>False when the file system refuses a file that long.</summary>
    public static bool TryTruncate(int fd, long size) => ftruncate(fd, size) == 0;

    public static void Allocate(int fd, FallocateMode mode, long offset, long length)
    {
        while (fallocate(fd, (int)mode, offset, length) != 0) ThrowUnlessInterrupted();
    }

    /// <summary>-1 when there is nothing of the kind behind the offset (ENXIO).</summary>
    public static long Seek(int fd, long offset, bool hole)
    {
        long found = lseek(fd, offset, hole ? SeekHole : SeekData);
        if (found < 0 && Marshal.GetLastPInvokeError() != Errno.ENXIO) Throw();
        return found;
    }

    public static int Map(int fd, ulong start, ulong length, uint flags, Span<FiemapExtent> extents)
    {
        var buffer = new byte[Fiemap.Size + FiemapExtent.Size * extents.Length];
        ref var header = ref MemoryMarshal.AsRef<Fiemap>(buffer.AsSpan());
        header = new Fiemap { Start = start, Length = length, Flags = flags, ExtentCount = (uint)extents.Length };
        fixed (byte* argument = buffer)
        {
            while (ioctl(fd, FiemapRequest, argument) != 0) ThrowUnlessInterrupted();
        }
        int mapped = (int)header.MappedExtents;
        var found = MemoryMarshal.Cast<byte, FiemapExtent>(buffer.AsSpan(Fiemap.Size));
        found[..Math.Min(mapped, found.Length)].CopyTo(extents);
        return mapped;
    }

    /// <summary>False when the file has no such attribute.</summary>
    public static bool TryGetRecord(int fd, out ObjectRecord record)
    {
        record = default;
        fixed (ObjectRecord* value = &record)
        {
            nint n = fgetxattr(fd, RecordName, value, ObjectRecord.Size);
            if (n == ObjectRecord.Size) return true;
            if (n >= 0) throw new FsException(Errno.EIO);
            if (Marshal.GetLastPInvokeError() != ENODATA) Throw();
            return false;
        }
    }

    public static void SetRecord(int fd, in ObjectRecord record)
    {
        fixed (ObjectRecord* value = &record)
        {
            if (fsetxattr(fd, RecordName, value, ObjectRecord.Size, 0) != 0) Throw();
        }
    }

    /// <summary>Sets both times, in seconds.</summary>
    public static void SetTimes(int fd, long atime, long mtime)
    {
        long* times = stackalloc long[4] { atime, 0, mtime, 0 };
        if (futimens(fd, times) != 0) Throw();
    }

    /// <summary>Waits until data and attributes of the file are on the disk.</summary>
    public static void Sync(int fd)
    {
        while (fsync(fd) != 0) ThrowUnlessInterrupted();
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncFolder(string folder) => WithFolder(folder, &fsync);

    /// <summary>Makes the whole file system durable that holds the folder.</summary>
    public static void SyncFileSystem(string folder) => WithFolder(folder, &syncfs);

    public static void Advise(int fd, long offset, long length, bool willNeed) =>
        _ = posix_fadvise(fd, offset, length, willNeed ? AdviceWillNeed : AdviceDontNeed);

    /// <summary>False when there was no such file.</summary>
    public static bool Unlink(string path)
    {
        if (unlink(path) == 0) return true;
        if (Marshal.GetLastPInvokeError() != Errno.ENOENT) Throw();
        return false;
    }

    /// <summary>f_type of the file system, and its space.</summary>
    public static (long Type, FileSystemSpace Space) FileSystem(string folder)
    {
        long* s = stackalloc long[15];
        while (statfs(folder, s) != 0) ThrowUnlessInterrupted();
        long blockSize = s[9] != 0 ? s[9] : s[1];
        return (s[0], new FileSystemSpace(Total: s[2] * blockSize, Free: s[4] * blockSize, Files: s[5], FreeFiles: s[6]));
    }

    private static void WithFolder(string folder, delegate*<int, int> call)
    {
        int fd = open(folder, OpenDirectory | OpenCloseOnExec, 0);
        if (fd < 0) Throw();
        try
        {
            while (call(fd) != 0) ThrowUnlessInterrupted();
        }
        finally
        {
            _ = close(fd);
        }
    }

    private static void ThrowUnlessInterrupted()
    {
        if (Marshal.GetLastPInvokeError() != Errno.EINTR) Throw();
    }

    private static void Throw() => throw new FsException(Marshal.GetLastPInvokeError());

    private struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

#pragma warning disable IDE1006, SA1300 // the C names
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int dirfd, string path, int flags, uint mask, void* buffer);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statfs(string path, void* buffer);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int fd, void* buffer, nuint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint preadv2(int fd, IoVector* vectors, int count, long offset, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(int fd, void* buffer, nuint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int fd, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int fd, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint fgetxattr(int fd, string name, void* value, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fsetxattr(int fd, string name, void* value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int futimens(int fd, void* times);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_fadvise(int fd, long offset, long length, int advice);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string path);
#pragma warning restore IDE1006, SA1300
}
