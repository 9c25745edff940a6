using System.Runtime.InteropServices;

namespace Nacre.Ldlm.Wire;

/// <summary>
/// <c>ldlm_request</c> with its two mandatory handle slots, 104 bytes. Further handles of a batched cancel follow at
/// offset 104, 8 bytes each: <see cref="Handles"/>. Protocol reference 03 section 5.3.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LdlmRequest
{
    public const int Size = 104;

    /// <summary>Offset of the first handle slot.</summary>
    public const int HandlesOffset = 88;

    public LdlmFlags LockFlags;

    /// <summary>Number of handle slots in use, counted from slot 0; 0 means the same as 1.</summary>
    public uint LockCount;
    public LdlmLockDesc LockDesc;
    public ulong Handle0;
    public ulong Handle1;

    /// <summary>All handle slots of the buffer that holds an <c>ldlm_request</c>; empty when the buffer has none.</summary>
    public static ReadOnlySpan<ulong> Handles(ReadOnlySpan<byte> buffer) => buffer.Length <= HandlesOffset
        ? []
        : MemoryMarshal.Cast<byte, ulong>(buffer[HandlesOffset..]);
}
