using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>An object as a lookup, getattr or open has shown it.</summary>
/// <param name="Layout">Of a regular file that has one.</param>
public sealed record Found(MdtBody Body, LovLayout? Layout, byte[] Acl, Disp Disposition)
{
    public LuFid Fid => Body.Fid1;

    public uint Mode => Body.Mode;

    public bool IsDirectory => (Mode & FileType.Mask) == FileType.Directory;
}

/// <summary>An open file. <see cref="Layout"/> changes when components are instantiated.</summary>
public sealed class OpenFile(Found found, MdsOpen flags)
{
    public Found Found { get; } = found;

    public LuFid Fid => Found.Fid;

    /// <summary>The server's cookie of the open.</summary>
    public ulong Handle => Found.Body.OpenHandle;

    public MdsOpen Flags { get; } = flags;

    public LovLayout? Layout { get; set; } = found.Layout;

    /// <summary>Data was written through this open.</summary>
    public bool HasWritten { get; set; }
}

/// <summary>One name of a directory.</summary>
/// <param name="Type">Type bits as in a mode.</param>
public sealed record DirectoryEntry(string Name, LuFid Fid, uint Type, ulong Hash);
