using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Wire;

/// <summary><c>ldlm_res_id</c>, 32 bytes: the name of a resource within one namespace. Protocol reference 03 section 2.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LdlmResId : IEquatable<LdlmResId>
{
    public const int Size = 32;

    /// <summary>Value of <see cref="Name3"/> in the resource of a file's POSIX and BSD locks.</summary>
    public const ulong FlockMarker = (ulong)LockType.Flock;

    /// <summary>First word; never 0 in a valid name.</summary>
    public ulong Name0;
    public ulong Name1;
    public ulong Name2;
    public ulong Name3;

    public LdlmResId(ulong name0, ulong name1, ulong name2 = 0, ulong name3 = 0)
    {
        Name0 = name0;
        Name1 = name1;
        Name2 = name2;
        Name3 = name3;
    }

    /// <summary>The resource of a FID: sequence, then version and object id in one word. Not for IDIF objects (03 section 2.2).</summary>
    public static LdlmResId OfFid(LuFid fid) => new(fid.Sequence, fid.ObjectId | ((ulong)fid.Version << 32));

    /// <summary>The resource of the POSIX and BSD locks of the file with this FID.</summary>
    public static LdlmResId OfFlock(LuFid fid) => new(fid.Sequence, fid.ObjectId | ((ulong)fid.Version << 32), 0, FlockMarker);

    /// <summary>The FID that a name made by <see cref="OfFid"/> or <see cref="OfFlock"/> stands for.</summary>
    public readonly LuFid ToFid() => new(Name0, (uint)Name1, (uint)(Name1 >> 32));

    public readonly bool Equals(LdlmResId other) =>
        Name0 == other.Name0 && Name1 == other.Name1 && Name2 == other.Name2 && Name3 == other.Name3;

    public override readonly bool Equals(object? obj) => obj is LdlmResId other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(Name0, Name1, Name2, Name3);

    public override readonly string ToString() =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"[{Name0:x}:{Name1:x}:{Name2:x}:{Name3:x}]");

    public static bool operator ==(LdlmResId left, LdlmResId right) => left.Equals(right);

    public static bool operator !=(LdlmResId left, LdlmResId right) => !left.Equals(right);
}
