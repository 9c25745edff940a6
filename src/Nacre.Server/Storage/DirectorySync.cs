using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Nacre.Server.Storage;

/// <summary>Makes names durable: a file that was created, renamed or removed survives a power cut only once its folder is synced.</summary>
internal static partial class DirectorySync
{
    private const int ReadOnlyDirectory = 0x1_0000 | 0x8_0000; // O_DIRECTORY | O_CLOEXEC

    /// <exception cref="IOException">The folder could not be opened or synced.</exception>
    public static void Flush(string folder)
    {
        var handle = Open(folder, ReadOnlyDirectory);
        if (handle < 0)
        {
            throw Error(folder);
        }

        try
        {
            if (Fsync(handle) != 0)
            {
                throw Error(folder);
            }
        }
        finally
        {
            _ = Close(handle);
        }
    }

    private static IOException Error(string folder)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{folder}: {new Win32Exception(error).Message}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int handle);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);
}
