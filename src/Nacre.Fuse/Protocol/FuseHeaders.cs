using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_in_header</c>: the beginning of every request.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RequestHeader
{
    public const int Size = 40;

    /// <summary>Bytes of the request, this header included.</summary>
    public uint Length;
    public FuseOpcode Opcode;
    public ulong Unique;
    public ulong NodeId;
    public uint Uid;
    public uint Gid;
    public uint Pid;

    /// <summary>Units of 8 bytes behind the request.</summary>
    public ushort ExtensionLength;
    public ushort Padding;
}

/// <summary><c>fuse_out_header</c>: the beginning of every answer and notification.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ReplyHeader
{
    public const int Size = 16;

    public uint Length;

    /// <summary>0 or a negative errno; a <see cref="NotifyCode"/> where <see cref="Unique"/> is 0.</summary>
    public int Error;
    public ulong Unique;
}
