using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>
/// ost_id, 16 bytes: names an object in one of two overlaid forms, told apart by the second 64-bit word (06 section 2.1).
/// FID form: sequence, oid, version. Legacy form: id, sequence 0.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct OstId
{
    public const int Size = 16;
    /// <summary>First sequence of normal FIDs.</summary>
    public const ulong FirstNormalSequence = 0x2_0000_0400;
    private const ulong FirstIdifSequence = 0x1_0000_0000;
    private const ulong LastIdifSequence = 0x1_FFFF_FFFF;

    /// <summary>FID form: sequence. Legacy form: object id.</summary>
    public ulong First;
    /// <summary>FID form: oid in the low, version in the high half. Legacy form: sequence, 0.</summary>
    public ulong Second;

    public readonly bool IsLegacy => Second == 0;

    public static OstId FromFid(in LuFid fid) => new() { First = fid.Sequence, Second = fid.ObjectId | ((ulong)fid.Version << 32) };

    /// <summary>
    /// The object's FID; a legacy id becomes the IDIF FID of OST <paramref name="ostIndex"/>. False for a placeholder, an
    /// object id 0, a version that is not 0, or a sequence no client may use: the caller answers EPROTO.
    /// </summary>
    public readonly bool TryGetFid(int ostIndex, out LuFid fid)
    {
        fid = default;
        if (Second == ulong.MaxValue) return false;
        if (IsLegacy)
        {
            ulong id = First & 0xFFFF_FFFF_FFFF;
            if (id == 0) return false;
            fid = new LuFid(FirstIdifSequence | ((ulong)(uint)ostIndex << 16) | (id >> 32), (uint)id);
            return true;
        }
        uint oid = (uint)Second;
        if (Second >> 32 != 0 || oid == 0) return false;
        if (First < FirstNormalSequence && First is < FirstIdifSequence or > LastIdifSequence) return false;
        fid = new LuFid(First, oid);
        return true;
    }
}
