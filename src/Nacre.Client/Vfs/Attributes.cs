namespace Nacre.Client.Vfs;

/// <summary>A point in time as POSIX has it: seconds since 1970 and nanoseconds below one second.</summary>
public readonly record struct Timestamp(long Seconds, uint Nanoseconds);

/// <summary>What <c>stat(2)</c> tells of a file.</summary>
public struct Attributes
{
    public ulong Inode;

    /// <summary>Type (S_IFMT) and permission bits.</summary>
    public uint Mode;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;

    /// <summary>Device number of a device node, as <c>st_rdev</c>.</summary>
    public ulong Device;

    /// <summary>Bytes.</summary>
    public long Size;

    /// <summary>Units of 512 bytes.</summary>
    public ulong Blocks;

    /// <summary>Preferred size of I/O, in bytes.</summary>
    public uint BlockSize;
    public Timestamp AccessTime;
    public Timestamp ModifyTime;
    public Timestamp ChangeTime;
    public Timestamp BirthTime;
}

/// <summary>Which members of an <see cref="AttributeChange"/> are to be set.</summary>
[Flags]
public enum AttributeFields
{
    None = 0,
    Mode = 1 << 0,
    Uid = 1 << 1,
    Gid = 1 << 2,
    Size = 1 << 3,
    AccessTime = 1 << 4,
    ModifyTime = 1 << 5,

    /// <summary>The time of the call, for which permission to write suffices.</summary>
    AccessTimeNow = 1 << 6,
    ModifyTimeNow = 1 << 7,
    ChangeTime = 1 << 8,

    /// <summary>
    /// A truncation by somebody without CAP_FSETID, or a chown of what is not a directory: the setuid bit goes, and the setgid bit where the group may execute.
    /// </summary>
    KillPrivileges = 1 << 9,
}

/// <summary>The argument of chmod, chown, truncate and utimensat.</summary>
public readonly record struct AttributeChange(AttributeFields Fields)
{
    public uint Mode { get; init; }
    public uint Uid { get; init; }
    public uint Gid { get; init; }
    public long Size { get; init; }
    public Timestamp AccessTime { get; init; }
    public Timestamp ModifyTime { get; init; }
    public Timestamp ChangeTime { get; init; }
}

/// <summary>What <c>statfs(2)</c> tells of a file system.</summary>
public readonly record struct FileSystemStatus
{
    /// <summary>Bytes.</summary>
    public uint BlockSize { get; init; }

    /// <summary>Blocks of <see cref="BlockSize"/>.</summary>
    public ulong Blocks { get; init; }
    public ulong FreeBlocks { get; init; }
    public ulong AvailableBlocks { get; init; }
    public ulong Files { get; init; }
    public ulong FreeFiles { get; init; }

    /// <summary>Bytes.</summary>
    public uint NameLength { get; init; }
}

/// <summary>For whom an operation is done.</summary>
/// <param name="Groups">Supplementary groups; empty when not known.</param>
public readonly record struct Credentials(uint Uid, uint Gid, int Pid, ReadOnlyMemory<uint> Groups)
{
    public static readonly Credentials Root = new(0, 0, 0, default);
}
