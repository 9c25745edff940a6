using System.Runtime.InteropServices;

namespace Nacre.Ldlm.Wire;

/// <summary>
/// <c>ldlm_gl_desc</c>, 64 bytes, in its quota form: second buffer of quota and barrier glimpses between servers.
/// Protocol reference 03 section 5.6.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LdlmGlDesc
{
    public const int Size = 64;

    public ulong Id0;
    public ulong Id1;
    public ulong Flags;
    public ulong Version;
    public ulong HardLimit;
    public ulong SoftLimit;
    public ulong Time;
    public ulong Pad;
}
