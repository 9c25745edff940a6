using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nacre.Server.Storage;

/// <summary>The operating-system calls that make a file and a directory durable.</summary>
internal static partial class DiskSync
{
    private const int InterruptedCall = 4;
    private const int OpenDirectory = 0x10000 | 0x80000; // O_DIRECTORY | O_CLOEXEC

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    /// <summary>Waits until the data of the file is on the disk.</summary>
    /// <exception cref="IOException">The disk refused; what was written since the last success may be lost.</exception>
    public static void Data(SafeFileHandle file)
    {
        while (FDataSync(file) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != InterruptedCall)
            {
                throw new IOException($"fdatasync failed: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
            }
        }
    }

    /// <summary>Makes the names in a directory durable.</summary>
    public static void Directory(string path)
    {
        int fd = Open(path, OpenDirectory);
        int result = fd < 0 ? fd : FSync(fd);
        int errno = Marshal.GetLastPInvokeError();
        if (fd >= 0)
        {
            _ = Close(fd);
        }
        if (result < 0)
        {
            throw new IOException($"cannot sync directory {path}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
        }
    }
}
