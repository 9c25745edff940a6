namespace Nacre.Ldlm.Wire;

/// <summary>Lock types, <c>lr_type</c>. Protocol reference 03 section 3.1.</summary>
public enum LockType : uint
{
    None = 0,
    Plain = 10,
    Extent = 11,
    Flock = 12,
    IBits = 13,
}
