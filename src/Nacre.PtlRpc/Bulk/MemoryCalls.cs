using System.Runtime.InteropServices;

namespace Nacre.PtlRpc;

/// <summary>The operating-system calls of <see cref="BulkMemory"/>, and nothing else: Linux x86-64, glibc.</summary>
internal static unsafe partial class MemoryCalls
{
    private const int ProtectRead = 1, ProtectWrite = 2, MapPrivate = 2, MapAnonymous = 0x20;
    private const int AdviceDontNeed = 4, AdviceHugePage = 14;

    /// <exception cref="OutOfMemoryException">The system gives none.</exception>
    public static byte* Map(nuint length)
    {
        var memory = mmap(null, length, ProtectRead | ProtectWrite, MapPrivate | MapAnonymous, -1, 0);
        return (nint)memory != -1 ? (byte*)memory : throw new OutOfMemoryException($"no {length} bytes for bulk data");
    }

    public static void Unmap(byte* address, nuint length)
    {
        if (length > 0)
        {
            _ = munmap(address, length);
        }
    }

    /// <summary>Asks for huge pages. A system without them goes on with small ones.</summary>
    public static void WantHugePages(byte* address, nuint length) => _ = madvise(address, length, AdviceHugePage);

    /// <summary>Gives the pages back; the addresses stay, and read as zeros.</summary>
    public static void GiveBack(byte* address, nuint length) => _ = madvise(address, length, AdviceDontNeed);

    [LibraryImport("libc", SetLastError = true)]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(void* address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(void* address, nuint length, int advice);
}
