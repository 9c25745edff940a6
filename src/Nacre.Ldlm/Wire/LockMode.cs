namespace Nacre.Ldlm.Wire;

/// <summary>Lock modes; on the wire a 32-bit word with exactly one bit set. Protocol reference 03 section 3.2.</summary>
public enum LockMode : uint
{
    /// <summary>Not granted: only ever seen as a granted mode.</summary>
    None = 0,
    EX = 1,
    PW = 2,
    PR = 4,
    CW = 8,
    CR = 16,
    /// <summary>Null mode: a FLOCK unlock.</summary>
    NL = 32,
    Group = 64,
    /// <summary>Commit on share: only taken by the server, never on the wire.</summary>
    COS = 128,
}

/// <summary>The compatibility matrix of 03 section 3.3.</summary>
public static class LockModes
{
    /// <summary>Number of modes, <see cref="LockMode.COS"/> included.</summary>
    public const int Count = 8;

    // Row i: the set of modes compatible with mode 1 << i.
    private static ReadOnlySpan<byte> CompatibleSets => [0x20, 0x30, 0x34, 0x38, 0x3e, 0x7f, 0x60, 0x80];

    /// <summary>Position of the mode's bit, 0 (EX) to 7 (COS).</summary>
    public static int Index(LockMode mode) => System.Numerics.BitOperations.TrailingZeroCount((uint)mode) & 7;

    public static LockMode FromIndex(int index) => (LockMode)(1u << index);

    /// <summary>The modes that may be granted beside <paramref name="mode"/>, as a set of <see cref="LockMode"/> bits.</summary>
    public static uint CompatibleSet(LockMode mode) => CompatibleSets[Index(mode)];

    /// <summary>The modes that exclude <paramref name="mode"/> where the policy data intersects.</summary>
    public static uint ConflictSet(LockMode mode) => ~(uint)CompatibleSets[Index(mode)] & 0xff;

    /// <summary>True when the modes never conflict. GROUP beside GROUP also needs equal group ids, which is not looked at here.</summary>
    public static bool Compatible(LockMode a, LockMode b) => (CompatibleSet(a) & (uint)b) != 0;

    /// <summary>True for one of the modes a client may ask for (EX to GROUP).</summary>
    public static bool IsRequestable(LockMode mode) =>
        mode <= LockMode.Group && System.Numerics.BitOperations.IsPow2((uint)mode);
}
