using System.Runtime.InteropServices;

namespace Nacre.Fuse.Tests.Harness;

/// <summary>
/// System calls of the tests. All are P/Invokes, also the copying to and from mapped memory: a page fault on a file that
/// this
/// process itself serves must not happen in managed code, where it would keep the garbage collector from stopping the
/// thread.
/// </summary>
internal static unsafe partial class Posix
{
    public const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, Create = 0x40, Exclusive = 0x80, Truncate = 0x200, Append = 0x400,
        DataSync = 0x1000, Direct = 0x4000;

    public const int SeekData = 3, SeekHole = 4, KeepSize = 1, PunchHole = 2;
    public const int SetLock = 6, SetLockWait = 7, GetLock = 5, ReadLock = 0, WriteLock = 1, Unlock = 2;
    public const int Shared = 1, ProtectRead = 1, ProtectWrite = 2, SynchronousSync = 4;

    [StructLayout(LayoutKind.Sequential)]
    public struct Flock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Pid;
    }

    public readonly record struct Status(uint Mode, uint Links, uint Uid, uint Gid, ulong Inode, long Size, ulong Blocks, long ModifyTime, uint ModifyNanoseconds, long BirthTime);

    public static int Errno => Marshal.GetLastPInvokeError();

    public static Status Stat(string path, bool forced = false)
    {
        byte* s = stackalloc byte[256];
        Check(statx(-100, path, (forced ? 0x2000 : 0) | 0x100, 0xFFF, s));
        return new Status(*(ushort*)(s + 28), *(uint*)(s + 16), *(uint*)(s + 20), *(uint*)(s + 24), *(ulong*)(s + 32),
            *(long*)(s + 40), *(ulong*)(s + 48), *(long*)(s + 112), *(uint*)(s + 120), *(long*)(s + 80));
    }

    /// <returns>0 or an errno.</returns>
    public static int TryStat(string path)
    {
        byte* s = stackalloc byte[256];
        return statx(-100, path, 0x100, 0xFFF, s) == 0 ? 0 : Errno;
    }

    public static int Open(string path, int flags, uint mode = 0x1A4) => Check(open(path, flags | 0x8_0000, mode));

    public static void Close(int fd) => Check(close(fd));

    public static byte[] Read(int fd, int length, long offset)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        fixed (byte* p = buffer) return buffer[..(int)Check(pread(fd, p, length, offset))];
    }

    public static void Write(int fd, byte[] data, long offset)
    {
        fixed (byte* p = data) Assert.Equal(data.Length, Check(pwrite(fd, p, data.Length, offset)));
    }

    public static void Append_(int fd, byte[] data)
    {
        fixed (byte* p = data) Assert.Equal(data.Length, Check(write(fd, p, data.Length)));
    }

    public static byte* Map(int fd, int length, int protection)
    {
        byte* memory = mmap(null, length, protection, Shared, fd, 0);
        Assert.NotEqual(-1, (nint)memory);
        return memory;
    }

    public static void CopyIn(byte* to, byte[] data)
    {
        fixed (byte* p = data) memcpy(to, p, data.Length);
    }

    public static byte[] CopyOut(byte* from, int length)
    {
        byte[] data = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        fixed (byte* p = data) memcpy(p, from, length);
        return data;
    }

    /// <summary>fcntl locks belong to a process; those of a file description (F_OFD_*) let one process hold two.</summary>
    public static int OfdLock(int fd, int command, short type, long start, long length)
    {
        var range = new Flock { Type = type, Start = start, Length = length };
        return fcntl(fd, command + 31, &range);
    }

    public static nint Check(nint result)
    {
        if (result == -1) throw new IOException(Marshal.GetLastPInvokeErrorMessage(), Errno);
        return result;
    }

    public static int Check(int result) => (int)Check((nint)result);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int fd, byte* buffer, nint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(int fd, byte* buffer, nint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* mmap(void* address, nint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int munmap(byte* address, nint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int msync(byte* address, nint length, int flags);

    [LibraryImport("libc")]
    private static partial byte* memcpy(byte* to, byte* from, nint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int fd, int command, Flock* range);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int flock(int fd, int operation);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fallocate(int fd, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial long lseek(int fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint copy_file_range(int from, long* fromOffset, int to, long* toOffset, nint length, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int renameat2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mkdir(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlink(string path);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ftruncate(int fd, long length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fsync(int fd);

    [LibraryImport("libc")]
    public static partial int posix_fadvise(int fd, long offset, long length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fdatasync(int fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int setxattr(string path, string name, byte[] value, nint length, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint getxattr(string path, string name, byte[] value, nint length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint listxattr(string path, byte[] value, nint length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int removexattr(string path, string name);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint opendir(string path);

    [LibraryImport("libc", SetLastError = true)]
    public static partial byte* readdir(nint directory);

    [LibraryImport("libc", SetLastError = true)]
    public static partial long telldir(nint directory);

    [LibraryImport("libc")]
    public static partial void seekdir(nint directory, long position);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int closedir(nint directory);
}
