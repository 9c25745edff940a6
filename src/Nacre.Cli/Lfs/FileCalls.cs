using System.Runtime.InteropServices;

namespace Nacre.Cli.Lfs;

/// <summary>The system calls <c>lfs</c> needs beside those of .NET: extended attributes, mknod, statx. Results are 0 or a positive errno.</summary>
internal static unsafe partial class FileCalls
{
    /// <summary>Most bytes of an extended attribute's value Linux takes.</summary>
    private const int MaxValueBytes = 65536;

    private const uint RegularFile = 0x8000;
    private const int CurrentDirectory = -100, DoNotFollow = 0x100;
    private const uint BasicFields = 0x7ff;

    /// <param name="value">Empty where it failed.</param>
    public static int GetXattr(string path, string name, out byte[] value)
    {
        var buffer = new byte[MaxValueBytes];
        fixed (byte* at = buffer)
        {
            var length = GetXattr(path, name, at, MaxValueBytes);
            value = length > 0 ? buffer[..(int)length] : [];
            return length >= 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    public static int SetXattr(string path, string name, ReadOnlySpan<byte> value)
    {
        fixed (byte* at = value)
        {
            return SetXattr(path, name, at, (nuint)value.Length, 0) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Makes a regular file by mknod(2), which on Lustre is one without objects yet.</summary>
    public static int MakeFile(string path, uint permissions) =>
        MakeNode(path, RegularFile | permissions, 0) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>lstat(2).</summary>
    public static int Stat(string path, out FileStatus status) =>
        Stat(CurrentDirectory, path, DoNotFollow, BasicFields, out status) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>fnmatch(3): a shell's pattern.</summary>
    public static bool Matches(string pattern, string name) => MatchName(pattern, name, 0) == 0;

    /// <summary>Null when there is no such user.</summary>
    public static uint? UserId(string name) => IdOf(FindUser(name));

    /// <summary>Null when there is no such group.</summary>
    public static uint? GroupId(string name) => IdOf(FindGroup(name));

    /// <summary>The id stands behind two pointers in <c>struct passwd</c> and <c>struct group</c> alike.</summary>
    private static uint? IdOf(byte* record) => record is null ? null : *(uint*)(record + 16);

    [LibraryImport("libc", EntryPoint = "fnmatch", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MatchName(string pattern, string name, int flags);

    [LibraryImport("libc", EntryPoint = "getpwnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* FindUser(string name);

    [LibraryImport("libc", EntryPoint = "getgrnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* FindGroup(string name);

    [LibraryImport("libc", EntryPoint = "getxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetXattr(string path, string name, byte* value, nuint size);

    [LibraryImport("libc", EntryPoint = "setxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetXattr(string path, string name, byte* value, nuint size, int flags);

    [LibraryImport("libc", EntryPoint = "mknod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeNode(string path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(int folder, string path, int flags, uint mask, out FileStatus status);
}

/// <summary><c>struct statx</c> of Linux, 256 bytes. Times are seconds since 1970.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStatus
{
    [FieldOffset(16)]
    public uint LinkCount;

    [FieldOffset(20)]
    public uint Uid;

    [FieldOffset(24)]
    public uint Gid;

    /// <summary>Type and permissions.</summary>
    [FieldOffset(28)]
    public ushort Mode;

    /// <summary>Bytes.</summary>
    [FieldOffset(40)]
    public ulong Size;

    /// <summary>Units of 512 bytes.</summary>
    [FieldOffset(48)]
    public ulong Blocks;

    [FieldOffset(64)]
    public long AccessTime;

    [FieldOffset(96)]
    public long ChangeTime;

    [FieldOffset(112)]
    public long ModifyTime;

    public readonly bool IsDirectory => (Mode & 0xf000) == 0x4000;

    public readonly bool IsRegular => (Mode & 0xf000) == 0x8000;
}
