using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>
/// The part of an object's attributes that an inode has no field for: 64 bytes in the extended attribute
/// <c>user.nacre</c> of the object's file, little-endian.
/// <para>
/// Size, blocks, mtime and atime are the inode's own. The ctime is here because nobody can set an inode's; the owner is here
/// and not the inode's, so that the server needs no privilege, and so that neither quotas nor permissions of the machine
/// apply to a client's ids. 64 bytes is what fits into a 256-byte ext4 inode: one byte more and every object costs another
/// block. Hence component bounds in units of 64 KiB, of which they always are multiples.
/// </para>
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ObjectRecord
{
    public const int Size = 64;
    public const byte CurrentFormat = 1;
    private const int UnitBits = 16;
    private const uint EndOfFile = uint.MaxValue;

    public ulong DataVersion;       // 0
    public long CTime;              // 8
    public uint Uid;                // 16
    public uint Gid;                // 20
    public uint ProjectId;          // 24
    public byte Format;             // 28
    public ObjectOwnerIds OwnersSet; // 29
    public ushort StripeCount;      // 30
    public ulong ParentSequence;    // 32
    public uint ParentOid;          // 40
    public uint StripeIndex;        // 44
    public uint StripeSize;         // 48
    public uint ComponentId;        // 52
    public uint ComponentStart;     // 56, 64 KiB
    public uint ComponentEnd;       // 60, 64 KiB

    public static ObjectRecord From(in ObjectAttributes a) => new()
    {
        Format = CurrentFormat,
        DataVersion = a.DataVersion,
        CTime = a.CTime,
        Uid = a.Uid,
        Gid = a.Gid,
        ProjectId = a.ProjectId,
        OwnersSet = a.OwnersSet,
        ParentSequence = a.Parent.File.Sequence,
        ParentOid = a.Parent.File.ObjectId,
        StripeIndex = a.Parent.StripeIndex,
        StripeSize = a.Parent.StripeSize,
        StripeCount = (ushort)Math.Min(a.Parent.StripeCount, ushort.MaxValue),
        ComponentId = a.Parent.ComponentId,
        ComponentStart = ToUnits(a.Parent.ComponentStart),
        ComponentEnd = ToUnits(a.Parent.ComponentEnd),
    };

    public readonly void CopyTo(ref ObjectAttributes a)
    {
        a.DataVersion = DataVersion;
        a.CTime = CTime;
        a.Uid = Uid;
        a.Gid = Gid;
        a.ProjectId = ProjectId;
        a.OwnersSet = OwnersSet;
        a.Parent = new ObjectParent
        {
            File = new LuFid(ParentSequence, ParentOid),
            StripeIndex = StripeIndex,
            StripeSize = StripeSize,
            StripeCount = StripeCount,
            ComponentId = ComponentId,
            ComponentStart = FromUnits(ComponentStart),
            ComponentEnd = FromUnits(ComponentEnd),
        };
    }

    private static uint ToUnits(ulong bytes) => (uint)Math.Min(bytes >> UnitBits, EndOfFile);

    private static ulong FromUnits(uint units) => units == EndOfFile ? ulong.MaxValue : (ulong)units << UnitBits;
}
