using System.Runtime.InteropServices;

namespace Nacre.Ldlm.Wire;

/// <summary><c>ldlm_intent</c>, 8 bytes. Protocol reference 03 section 5.5.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LdlmIntent
{
    public const int Size = 8;

    public IntentOpcode Opcode;
}

/// <summary>Intent codes, a mask: open and create come together. Protocol reference 03 section 5.5.</summary>
[Flags]
public enum IntentOpcode : ulong
{
    None = 0,
    Open = 0x0001,
    Create = 0x0002,
    GetAttr = 0x0008,
    Lookup = 0x0010,
    GetXattr = 0x0080,
    Layout = 0x0400,
    QuotaAcquire = 0x0800,
    QuotaConnect = 0x1000,
    Glimpse = 0x4000,
    Brw = 0x8000,
}
