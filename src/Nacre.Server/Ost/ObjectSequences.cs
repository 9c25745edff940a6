using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Ost;

/// <summary>
/// FID sequences of objects: OST i owns 65536 consecutive sequences. An object's FID is in the layout as it is, and names the
/// object's LDLM resource.
/// </summary>
public static class ObjectSequences
{
    public const ulong Base = 0x2_4000_0400;
    private const int SequencesPerOstBits = 16;

    public static ulong First(int ostIndex) => Base + ((ulong)(uint)ostIndex << SequencesPerOstBits);

    public static bool Owns(int ostIndex, in LuFid fid) =>
        fid.Sequence - First(ostIndex) < 1ul << SequencesPerOstBits && fid.ObjectId != 0 && fid.Version == 0;
}
