using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Nacre.FileOperations;

/// <summary>
/// System calls on files, as programs make them. Copying to and from mapped memory is one too: a page fault on a mount must not happen in managed code,
/// where it would keep the garbage collector from stopping the thread.
/// </summary>
internal static unsafe partial class FileCalls
{
    public const int ReadOnly = 0, ReadWrite = 2, Create = 0x40, Append = 0x400, Direct = 0x4000, CloseOnExec = 0x8_0000;

    public const int KeepSize = 1, PunchHole = 2, SeekEnd = 2, SeekData = 3, SeekHole = 4;

    /// <summary>"No such data", of SEEK_DATA.</summary>
    public const int ENXIO = 6;

    public const int Page = 4096;

    private const int ProtectRead = 1, ProtectWrite = 2, Shared = 1, Synchronous = 4, DontNeed = 4;

    public static int Open(string path, int flags) => (int)Check(open(path, flags | CloseOnExec, 0x1A4), "open");

    public static void Close(int file) => Check(close(file), "close");

    /// <summary>As many bytes as there are: less than asked for only at the end of the file.</summary>
    public static int Read(int file, Span<byte> into, long offset)
    {
        int done = 0;
        fixed (byte* p = into)
        {
            while (done < into.Length)
            {
                int read = (int)Check(pread(file, p + done, into.Length - done, offset + done), "pread");
                if (read == 0) break;
                done += read;
            }
        }

        return done;
    }

    public static void Write(int file, ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* p = data)
        {
            for (int done = 0; done < data.Length;)
            {
                done += (int)Check(pwrite(file, p + done, data.Length - done, offset + done), "pwrite");
            }
        }
    }

    /// <summary>In one call, as two would not be one append.</summary>
    public static void AppendAll(int file, ReadOnlySpan<byte> data)
    {
        fixed (byte* p = data)
        {
            if (Check(write(file, p, data.Length), "write") != data.Length) throw new IOException("a write was cut short");
        }
    }

    /// <summary>Reads through a mapping of its own; the range lies inside the file.</summary>
    public static void ReadMapped(int file, Span<byte> into, long offset)
    {
        fixed (byte* p = into)
        {
            byte* memory = Map(file, offset, into.Length, ProtectRead, out long start, out nint length);
            memcpy(p, memory + (offset - start), into.Length);
            Check(munmap(memory, length), "munmap");
        }
    }

    /// <summary>Writes through a mapping of its own; the range lies inside the file.</summary>
    /// <param name="sync">With MS_SYNC before the end; else the kernel writes the pages when it likes.</param>
    public static void WriteMapped(int file, ReadOnlySpan<byte> data, long offset, bool sync)
    {
        fixed (byte* p = data)
        {
            byte* memory = Map(file, offset, data.Length, ProtectRead | ProtectWrite, out long start, out nint length);
            memcpy(memory + (offset - start), p, data.Length);
            if (sync) Check(msync(memory, length, Synchronous), "msync");
            Check(munmap(memory, length), "munmap");
        }
    }

    /// <returns>Bytes copied: less than asked for at the end of the file, and where the system likes.</returns>
    public static long Copy(int file, long from, long to, long length)
    {
        return Check(copy_file_range(file, &from, file, &to, (nint)length, 0), "copy_file_range");
    }

    public static void Truncate(int file, long size) => Check(ftruncate(file, size), "ftruncate");

    public static void Allocate(int file, int mode, long offset, long length) => Check(fallocate(file, mode, offset, length), "fallocate");

    public static void Sync(int file) => Check(fsync(file), "fsync");

    public static void SyncData(int file) => Check(fdatasync(file), "fdatasync");

    /// <summary>Has the kernel forget the clean pages it caches.</summary>
    public static void DropPages(int file)
    {
        int errno = posix_fadvise(file, 0, 0, DontNeed);
        if (errno != 0) throw new IOException($"posix_fadvise: {new Win32Exception(errno).Message}");
    }

    /// <returns>A position, or the negative errno.</returns>
    public static long Seek(int file, long offset, int whence)
    {
        long found = lseek(file, offset, whence);
        return found >= 0 ? found : -Marshal.GetLastPInvokeError();
    }

    private static byte* Map(int file, long offset, int size, int protection, out long start, out nint length)
    {
        start = offset & -Page;
        length = (nint)(offset + size - start);
        byte* memory = mmap(null, length, protection, Shared, file, start);
        Check((nint)memory, "mmap");
        return memory;
    }

    private static nint Check(nint result, string call) =>
        result != -1 ? result : throw new IOException($"{call}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int file, byte* into, nint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(int file, byte* data, nint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int file, byte* data, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* mmap(void* address, nint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(byte* address, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int msync(byte* address, nint length, int flags);

    [LibraryImport("libc")]
    private static partial byte* memcpy(byte* to, byte* from, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint copy_file_range(int from, long* fromOffset, int to, long* toOffset, nint length, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int file, long size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int file, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(int file);

    [LibraryImport("libc")]
    private static partial int posix_fadvise(int file, long offset, long length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int file, long offset, int whence);
}
