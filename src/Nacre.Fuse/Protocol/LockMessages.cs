using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_file_lock</c>, also the answer of GETLK.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WireLock
{
    public const int Size = 24;

    public ulong Start;

    /// <summary>Last byte; <see cref="long.MaxValue"/> is the end of the file.</summary>
    public ulong End;

    /// <summary>F_RDLCK (0), F_WRLCK (1), F_UNLCK (2).</summary>
    public uint Type;
    public uint Pid;
}

/// <summary><c>fuse_lk_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LockRequest
{
    public const int Size = 48;

    public ulong Handle;
    public ulong Owner;
    public WireLock Lock;
    public uint Flags;
    public uint Padding;
}
