namespace Nacre.Ldlm.Wire;

/// <summary>What an IBITS lock lets its holder cache. Protocol reference 03 section 4.4.</summary>
[Flags]
public enum InodeBits : ulong
{
    None = 0,
    Lookup = 0x01,
    Update = 0x02,
    Open = 0x04,
    Layout = 0x08,
    Perm = 0x10,
    Xattr = 0x20,
    Dom = 0x40,

    /// <summary>Every bit 2.15 knows.</summary>
    All = 0x7f,
}
