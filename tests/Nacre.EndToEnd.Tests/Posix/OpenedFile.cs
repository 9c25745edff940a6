using System.Runtime.InteropServices;
using System.Text;

namespace Nacre.EndToEnd.Posix;

/// <summary>A file descriptor. Methods named Try return an errno, the others throw on one.</summary>
internal sealed unsafe partial class OpenedFile(int fd) : IDisposable
{
    private const int SetLock = 6, SetLockAndWait = 7;
    private int _closed;

    public int Descriptor => fd;

    public string Text => Encoding.Latin1.GetString(Read(1 << 20, 0));

    public byte[] Read(int length, long offset)
    {
        byte[] buffer = new byte[length];
        nint read = pread(fd, buffer, length, offset);
        Sys.Check(Sys.Result(read));
        return buffer[..(int)read];
    }

    public int TryRead() => Sys.Result(pread(fd, new byte[1], 1, 0));

    public void Write(string text, long offset) => Write(Encoding.Latin1.GetBytes(text), offset);

    public void Write(byte[] data, long offset)
    {
        nint written = pwrite(fd, data, data.Length, offset);
        Sys.Check(Sys.Result(written));
        Assert.Equal(data.Length, written);
    }

    public int TryWrite(byte[] data) => Sys.Result(pwrite(fd, data, data.Length, 0));

    /// <summary>At the position, or at the end with O_APPEND.</summary>
    public void Append(string text)
    {
        byte[] data = Encoding.Latin1.GetBytes(text);
        Assert.Equal(data.Length, write(fd, data, data.Length));
    }

    public void Truncate(long length) => Sys.Check(Sys.Result(ftruncate(fd, length)));

    public void Sync() => Sys.Check(Sys.Result(fsync(fd)));

    public long Seek(long offset, int whence)
    {
        long position = lseek(fd, offset, whence);
        Sys.Check(Sys.Result(position));
        return position;
    }

    public int Allocate(int mode, long offset, long length) => Sys.Result(fallocate(fd, mode, offset, length));

    /// <summary>A fcntl lock on bytes. <paramref name="type"/> is 0 to read, 1 to write, 2 to give it up.</summary>
    public int LockRange(short type, long start, long length, bool wait = false)
    {
        var range = new Range { Type = type, Start = start, Length = length };
        return Sys.Result(fcntl(fd, wait ? SetLockAndWait : SetLock, &range));
    }

    /// <summary>flock(2): 1 shared, 2 exclusive, 8 none; 4 on top not to wait.</summary>
    public int LockWhole(int operation) => Sys.Result(flock(fd, operation));

    public byte* Map(int length, bool writable, bool shared = true)
    {
        byte* memory = mmap(null, length, writable ? 3 : 1, shared ? 1 : 2, fd, 0);
        Sys.Check(Sys.Result((nint)memory));
        return memory;
    }

    public static void Synchronise(byte* memory, int length) => Sys.Check(Sys.Result(msync(memory, length, 4)));

    public static void Unmap(byte* memory, int length) => Sys.Check(Sys.Result(munmap(memory, length)));

    public int TryClose() => Interlocked.Exchange(ref _closed, 1) == 0 ? Sys.Result(close(fd)) : 0;

    public void Dispose() => Sys.Check(TryClose());

    [StructLayout(LayoutKind.Sequential)]
    private struct Range
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Pid;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int fd, byte[] buffer, nint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(int fd, byte[] data, nint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte[] data, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int fd, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int fd, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, Range* range);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int fd, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* mmap(void* address, nint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(byte* memory, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int msync(byte* memory, nint length, int flags);
}
