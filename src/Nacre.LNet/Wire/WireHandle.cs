using System.Runtime.InteropServices;

namespace Nacre.LNet.Wire;

/// <summary>
/// Names a memory descriptor of the node that made it; the other side copies it back and never interprets it (01 section
/// 9.2).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public record struct WireHandle(ulong InterfaceCookie, ulong ObjectCookie)
{
    public const int Size = 16;

    /// <summary>"No handle": all bits set, not zero.</summary>
    public static readonly WireHandle None = new(ulong.MaxValue, ulong.MaxValue);

    public readonly bool IsNone => this == None;
}
