using System.Runtime.InteropServices;

namespace Nacre.Ldlm.Wire;

/// <summary>
/// <c>l_policy_data</c>, 32 bytes, read as one of three forms by the lock's type. Protocol reference 03 section 4.
/// </summary>
[StructLayout(LayoutKind.Explicit, Pack = 1, Size = Size)]
public struct LdlmPolicy
{
    public const int Size = 32;

    /// <summary>Last byte of an object: an extent without an end.</summary>
    public const ulong EndOfFile = ulong.MaxValue;

    /// <summary>EXTENT, FLOCK: first byte.</summary>
    [FieldOffset(0)] public ulong Start;

    /// <summary>EXTENT, FLOCK: last byte, inclusive.</summary>
    [FieldOffset(8)] public ulong End;

    /// <summary>EXTENT in mode GROUP: group id.</summary>
    [FieldOffset(16)] public ulong Gid;

    /// <summary>IBITS: bits requested or held.</summary>
    [FieldOffset(0)] public InodeBits Bits;

    /// <summary>IBITS, enqueue: bits wanted only if they are free.</summary>
    [FieldOffset(8)] public InodeBits TryBits;

    /// <summary>IBITS, BL AST and reply with AST_SENT: bits the blocking request wants, 0 for all.</summary>
    [FieldOffset(8)] public InodeBits CancelBits;

    /// <summary>IBITS: group id of a GROUP lock on the DOM bit.</summary>
    [FieldOffset(16)] public ulong IBitsGid;

    /// <summary>FLOCK: owner, unique within one client.</summary>
    [FieldOffset(16)] public ulong FlockOwner;
    [FieldOffset(24)] public uint FlockPadding;

    /// <summary>FLOCK: process id, only reported back by F_GETLK.</summary>
    [FieldOffset(28)] public uint FlockPid;

    public static LdlmPolicy Extent(ulong start, ulong end, ulong gid = 0) => new() { Start = start, End = end, Gid = gid };

    public static LdlmPolicy IBits(InodeBits bits, InodeBits tryBits = InodeBits.None) => new() { Bits = bits, TryBits = tryBits };

    public static LdlmPolicy Flock(ulong start, ulong end, ulong owner, uint pid) =>
        new() { Start = start, End = end, FlockOwner = owner, FlockPid = pid };
}
