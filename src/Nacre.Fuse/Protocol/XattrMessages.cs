using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_setxattr_in</c> as it is with <see cref="InitFlags.SetXattrExtended"/>; name and value follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SetXattrRequest
{
    public const int Size = 16;
    public const int OldSize = 8;

    /// <summary>Bytes of the value.</summary>
    public uint ValueLength;
    public int Flags;
    public uint SetXattrFlags;
    public uint Padding;
}

/// <summary><c>fuse_getxattr_in</c>, and the answer where only the length was asked for.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XattrLength
{
    public const int Size = 8;

    public uint Length;
    public uint Padding;
}
