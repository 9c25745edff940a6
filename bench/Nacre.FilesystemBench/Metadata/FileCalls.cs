using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Nacre.FilesystemBench.Metadata;

/// <summary>The system calls of the metadata workloads, so that each operation is what its name says and nothing else. Paths end with a zero byte.</summary>
internal static unsafe partial class FileCalls
{
    private const int ReadOnly = 0;
    private const int CreateExclusively = 0x1 | 0x40 | 0x80;
    private const int Folder = 0x10000;
    private const int CurrentFolder = -100;
    private const uint BasicAttributes = 0x7ff;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;

    /// <summary>What the C library reads at once.</summary>
    private const int ListBytes = 32 << 10;

    /// <summary>Offsets in <c>struct linux_dirent64</c>.</summary>
    private const int EntryLengthOffset = 16;
    private const int EntryNameOffset = 19;

    public static byte[] Terminated(string path) => [.. Encoding.UTF8.GetBytes(path), 0];

    /// <exception cref="IOException">It failed, or the file was there.</exception>
    public static void Create(byte[] path)
    {
        var fd = open(path, CreateExclusively, 0x1B4);
        if (fd < 0) throw Error("open", path);
        if (close(fd) < 0) throw Error("close", path);
    }

    /// <exception cref="IOException">It failed, or it is no file.</exception>
    public static void Stat(byte[] path)
    {
        Span<byte> attributes = stackalloc byte[256];
        if (statx(CurrentFolder, path, 0, BasicAttributes, attributes) < 0) throw Error("statx", path);
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(attributes[ModeOffset..]);
        if ((mode & TypeMask) != RegularFile) throw new IOException($"{Text(path)} is not a file: mode {mode:x}");
    }

    /// <exception cref="IOException">It failed.</exception>
    public static void Unlink(byte[] path)
    {
        if (unlink(path) < 0) throw Error("unlink", path);
    }

    /// <summary>Reads a folder; the number of its entries.</summary>
    /// <param name="each">Called with each entry's path; null to leave them be.</param>
    /// <exception cref="IOException">It failed.</exception>
    public static long List(byte[] folder, Action<byte[]>? each)
    {
        var fd = open(folder, ReadOnly | Folder, 0);
        if (fd < 0) throw Error("open", folder);
        try
        {
            var buffer = new byte[ListBytes];
            long entries = 0;
            while (true)
            {
                var length = getdents64(fd, buffer, (nuint)buffer.Length);
                if (length < 0) throw Error("getdents64", folder);
                if (length == 0) return entries;
                entries += Entries(folder, buffer.AsSpan(0, (int)length), each);
            }
        }
        finally
        {
            _ = close(fd);
        }
    }

    private static long Entries(byte[] folder, ReadOnlySpan<byte> entries, Action<byte[]>? each)
    {
        long count = 0;
        while (entries.Length > 0)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(entries[EntryLengthOffset..]);
            var name = entries[EntryNameOffset..length];
            name = name[..name.IndexOf((byte)0)];
            entries = entries[length..];
            if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8)) continue;
            count++;
            each?.Invoke([.. folder.AsSpan(..^1), (byte)'/', .. name, 0]);
        }

        return count;
    }

    private static IOException Error(string call, byte[] path) =>
        new($"{call} {Text(path)}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    private static string Text(byte[] path) => Encoding.UTF8.GetString(path.AsSpan(..^1));

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte[] path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlink(byte[] path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int folder, byte[] path, int flags, uint mask, Span<byte> attributes);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint getdents64(int fd, byte[] buffer, nuint length);
}
