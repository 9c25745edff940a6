using System.Runtime.InteropServices;
using System.Text;

namespace Nacre.EndToEnd.Posix;

/// <summary>System calls on paths. Each returns 0 or an errno, so that a test says what it expects in one line.</summary>
internal static unsafe partial class Sys
{
    public const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, Create = 0x40, Exclusive = 0x80, Truncate = 0x200, Append = 0x400,
        Direct = 0x4000, Directory = 0x10000, NoFollow = 0x20000, NoAccessTime = 0x40000;

    public const uint Unchanged = uint.MaxValue;
    public const int NoReplace = 1, ExchangeNames = 2, CreateXattr = 1, ReplaceXattr = 2;
    public const uint Fifo = 0x1000, CharacterDevice = 0x2000, Socket = 0xC000;

    private const int Here = -100, NotFollowed = 0x100, EmptyPath = 0x1000, CloseOnExec = 0x80000;

    public readonly record struct Status(
        uint Type, int Mode, uint Links, uint Uid, uint Gid, ulong Inode, long Size, ulong Blocks, long AccessTime, long ModifyTime, long ChangeTime,
        uint ModifyNanoseconds, uint Major, uint Minor);

    /// <summary>Writes modes as everybody does: <c>Octal(755)</c>.</summary>
    public static uint Octal(int digits) => digits == 0 ? 0 : ((uint)digits % 10) + (8 * Octal(digits / 10));

    public static int Result(long returned) => returned == -1 ? Marshal.GetLastPInvokeError() : 0;

    public static void Check(int errno)
    {
        if (errno != 0) throw new IOException(Marshal.GetPInvokeErrorMessage(errno), errno);
    }

    public static OpenedFile Open(string path, int flags, int mode = 644)
    {
        int fd = open(path, flags | CloseOnExec, Octal(mode));
        Check(Result(fd));
        return new OpenedFile(fd);
    }

    public static int TryOpen(string path, int flags, int mode = 644)
    {
        int fd = open(path, flags | CloseOnExec, Octal(mode));
        if (fd == -1) return Marshal.GetLastPInvokeError();
        new OpenedFile(fd).Dispose();
        return 0;
    }

    /// <summary>lstat(2).</summary>
    public static Status Stat(string path)
    {
        Check(TryStat(path, out var status));
        return status;
    }

    public static int TryStat(string path) => TryStat(path, out _);

    public static int TryStat(string path, out Status status) => TryStat(Here, path, NotFollowed, out status);

    /// <summary>fstat(2).</summary>
    public static Status Stat(OpenedFile file)
    {
        Check(TryStat(file.Descriptor, "", EmptyPath, out var status));
        return status;
    }

    private static int TryStat(int directory, string path, int flags, out Status status)
    {
        // struct statx, as the kernel's interface has it.
        byte* s = stackalloc byte[256];
        int errno = Result(statx(directory, path, flags, 0xFFF, s));
        uint mode = *(ushort*)(s + 28);
        status = errno != 0 ? default : new Status(
            mode & 0xF000, Decimal(mode & 0xFFF), *(uint*)(s + 16), *(uint*)(s + 20), *(uint*)(s + 24), *(ulong*)(s + 32), *(long*)(s + 40),
            *(ulong*)(s + 48), *(long*)(s + 64), *(long*)(s + 112), *(long*)(s + 96), *(uint*)(s + 120), *(uint*)(s + 128), *(uint*)(s + 132));
        return errno;
    }

    public static int Mkdir(string path, int mode = 755) => Result(mkdir(path, Octal(mode)));

    public static int Rmdir(string path) => Result(rmdir(path));

    public static int Unlink(string path) => Result(unlink(path));

    public static int Link(string old, string path) => Result(link(old, path));

    public static int Symlink(string target, string path) => Result(symlink(target, path));

    public static string ReadLink(string path)
    {
        byte[] target = new byte[8192];
        nint length = readlink(path, target, target.Length);
        Check(Result(length));
        return Encoding.UTF8.GetString(target, 0, (int)length);
    }

    public static int Rename(string from, string to, int flags = 0) => Result(renameat2(Here, from, Here, to, (uint)flags));

    public static int Chmod(string path, uint mode) => Result(chmod(path, mode));

    public static int Chown(string path, uint uid, uint gid) => Result(lchown(path, uid, gid));

    public static int Mknod(string path, uint type, ulong device = 0) => Result(mknod(path, type | Octal(644), device));

    public static int Truncated(string path, long length) => Result(truncate(path, length));

    /// <param name="times">Seconds and nanoseconds of access and modification; null for now.</param>
    public static int SetTimes(string path, (long Seconds, long Nanoseconds)[]? times)
    {
        long[]? flat = times?.SelectMany(static time => (long[])[time.Seconds, time.Nanoseconds]).ToArray();
        return Result(utimensat(Here, path, flat, NotFollowed));
    }

    /// <param name="mode">4 to read, 2 to write, 1 to execute or search.</param>
    public static int Access(string path, int mode) => Result(access(path, mode));

    public static int SetXattr(string path, string name, byte[] value, int flags = 0) => Result(lsetxattr(path, name, value, value.Length, flags));

    public static int RemoveXattr(string path, string name) => Result(lremovexattr(path, name));

    public static int TryGetXattr(string path, string name, out byte[] value)
    {
        byte[] buffer = new byte[65536];
        nint length = lgetxattr(path, name, buffer, buffer.Length);
        value = length < 0 ? [] : buffer[..(int)length];
        return Result(length);
    }

    public static string[] ListXattrs(string path)
    {
        byte[] buffer = new byte[65536];
        nint length = llistxattr(path, buffer, buffer.Length);
        Check(Result(length));
        return Encoding.UTF8.GetString(buffer, 0, (int)length).Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <returns>Blocks, free blocks, available blocks, files, free files, block size, longest name.</returns>
    public static (ulong Blocks, ulong Free, ulong Available, ulong Files, ulong FreeFiles, ulong BlockSize, ulong NameLength) StatFs(string path)
    {
        ulong* s = stackalloc ulong[32];
        Check(Result(statvfs(path, s)));
        return (s[2], s[3], s[4], s[5], s[6], s[0], s[10]);
    }

    private static int Decimal(uint mode) => mode == 0 ? 0 : (int)(mode % 8) + (10 * Decimal(mode / 8));

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdir(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rmdir(string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string old, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int symlink(string target, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint readlink(string path, byte[] target, nint length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chmod(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint uid, uint gid);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mknod(string path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int truncate(string path, long length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int utimensat(int directory, string path, long[]? times, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int access(string path, int mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lsetxattr(string path, string name, byte[] value, nint length, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lremovexattr(string path, string name);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint lgetxattr(string path, string name, byte[] value, nint length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint llistxattr(string path, byte[] names, nint length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statvfs(string path, ulong* status);
}
