using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>The common view of every MDS_REINT record (<c>mdt_rec_reint</c>, 05 section 5.1). All records are
/// <see cref="Size"/> bytes; the first word says which one it is.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MdtRecReint
{
    /// <summary>Bytes on the wire, the same for all sub-operations.</summary>
    public const int Size = 136;

    public ReintOp Opcode;
    public uint Cap;
    public uint FsUid;
    public uint FsUidHigh;
    public uint FsGid;
    public uint FsGidHigh;
    public uint Suppgid1;
    public uint Suppgid1High;
    public uint Suppgid2;
    public uint Suppgid2High;
    public LuFid Fid1;
    public LuFid Fid2;
    public long Mtime;
    public long Atime;
    public long Ctime;
    public ulong ObjectSize;
    public ulong Blocks;
    public MdsBias Bias;
    public uint Mode;
    public uint Flags;
    public uint FlagsHigh;
    public uint Umask;
    public ushort MirrorId;
    public ushort Padding4;
}

/// <summary>REINT_SETATTR, and the attributes of an MDS_CLOSE (<c>mdt_rec_setattr</c>, 05 section 5.3).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MdtRecSetattr
{
    public const int Size = MdtRecReint.Size;

    public ReintOp Opcode;
    public uint Cap;
    public uint FsUid;
    public uint FsUidHigh;
    public uint FsGid;
    public uint FsGidHigh;
    public uint Suppgid;
    public uint SuppgidHigh;
    public uint Padding1;
    public uint Padding1High;
    public LuFid Fid;
    public MdsAttr Valid;
    public uint Uid;
    public uint Gid;
    public ulong ObjectSize;
    public ulong Blocks;
    public long Mtime;
    public long Atime;
    public long Ctime;
    public LustreInodeFlags AttrFlags;
    public uint Mode;
    public MdsBias Bias;
    public uint Projid;
    public uint Padding3;
    public uint Padding4;
}

/// <summary>REINT_CREATE, and REINT_OPEN inside an open intent (<c>mdt_rec_create</c>, 05 section 5.4).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MdtRecCreate
{
    public const int Size = MdtRecReint.Size;

    public ReintOp Opcode;
    public uint Cap;
    public uint FsUid;
    public uint FsUidHigh;
    public uint FsGid;
    public uint FsGidHigh;
    public uint Suppgid1;
    public uint Suppgid1High;
    public uint Suppgid2;
    public uint Suppgid2High;
    /// <summary>Parent directory.</summary>
    public LuFid Fid1;
    /// <summary>FID for the new object, made by the client; or the object to open by FID.</summary>
    public LuFid Fid2;
    /// <summary>Open replay: the cookie the client had before. Lease: the handle it belongs to.</summary>
    public ulong OpenHandleOld;
    public long Time;
    public ulong Rdev;
    public ulong IoEpoch;
    public ulong Padding1;
    public uint Mode;
    public MdsBias Bias;
    public uint FlagsLow;
    public uint FlagsHigh;
    public uint Umask;
    public uint Padding4;

    /// <summary>The 64 bits of <c>cr_flags</c>.</summary>
    public MdsOpen Flags
    {
        readonly get => (MdsOpen)(FlagsLow | ((ulong)FlagsHigh << 32));
        set => (FlagsLow, FlagsHigh) = ((uint)value, (uint)((ulong)value >> 32));
    }
}

/// <summary>REINT_LINK, _UNLINK, _RMENTRY and _RENAME: one layout (<c>mdt_rec_link</c>..., 05 section 5.5).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MdtRecName
{
    public const int Size = MdtRecReint.Size;

    public ReintOp Opcode;
    public uint Cap;
    public uint FsUid;
    public uint FsUidHigh;
    public uint FsGid;
    public uint FsGidHigh;
    public uint Suppgid1;
    public uint Suppgid1High;
    public uint Suppgid2;
    public uint Suppgid2High;
    /// <summary>Link: the inode. Unlink: the parent. Rename: the source directory.</summary>
    public LuFid Fid1;
    /// <summary>Link: the directory. Unlink: the child if known. Rename: the target directory.</summary>
    public LuFid Fid2;
    public long Time;
    public ulong Padding2;
    public ulong Padding3;
    public ulong Padding4;
    public ulong Padding5;
    public MdsBias Bias;
    public uint Mode;
    public uint Padding6;
    public uint Padding7;
    public uint Padding8;
    public uint Padding9;
}

/// <summary>REINT_SETXATTR (<c>mdt_rec_setxattr</c>, 05 section 5.8).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MdtRecSetxattr
{
    public const int Size = MdtRecReint.Size;

    public ReintOp Opcode;
    public uint Cap;
    public uint FsUid;
    public uint FsUidHigh;
    public uint FsGid;
    public uint FsGidHigh;
    public uint Suppgid1;
    public uint Suppgid1High;
    public uint Suppgid2;
    public uint Suppgid2High;
    public LuFid Fid;
    public ulong Padding1;
    public uint Padding2;
    public uint Padding3;
    public ObdMd Valid;
    public long Time;
    public ulong Padding5;
    public ulong Padding6;
    public ulong Padding7;
    public uint ValueSize;
    /// <summary>1 create only, 2 replace only.</summary>
    public uint Flags;
    public uint Padding8;
    public uint Padding9;
    public uint Padding10;
    public uint Padding11;
}

/// <summary><c>mdt_ioepoch</c>: the handle an MDS_CLOSE gives up (05 section 8.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MdtIoEpoch
{
    public const int Size = 24;

    public ulong OpenHandle;
    public ulong Unused1;
    public uint Unused2;
    public uint Padding;
}

/// <summary><c>close_data</c> of a close with an intent (05 section 8.4).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public unsafe struct CloseData
{
    public const int Size = 96;

    /// <summary>Server cookie of the lease lock.</summary>
    public ulong Handle;
    public LuFid Fid;
    public ulong DataVersion;
    public fixed byte Resync[64];
}

/// <summary><c>layout_intent</c> (05 section 6.8). The extent is [Start, End) in bytes; all ones is end of file.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LayoutIntent
{
    public const int Size = 24;

    public LayoutIntentOp Op;
    public uint Flags;
    public ulong Start;
    public ulong End;
}

/// <summary><c>mdc_swap_layouts</c>: flags of MDS_SWAP_LAYOUTS (05 section 3.7).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MdcSwapLayouts
{
    public const int Size = 8;

    public ulong Flags;
}

/// <summary>Head of the value of MDS_GET_INFO <c>fid2path</c>; the path follows (05 section 3.11).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct GetinfoFid2Path
{
    public const int Size = 32;

    public LuFid Fid;
    public ulong RecordNumber;
    public uint LinkNumber;
    public uint PathLength;
}

/// <summary><c>obd_quotactl</c> (05 section 3.9).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct ObdQuotactl
{
    public const int Size = 112;

    public uint Command;
    public uint Type;
    public uint Id;
    public uint Stat;
    public ulong BlockGrace;
    public ulong InodeGrace;
    public uint InfoFlags;
    public uint InfoValid;
    public ulong BlockHardLimit;
    public ulong BlockSoftLimit;
    public ulong CurrentSpace;
    public ulong InodeHardLimit;
    public ulong InodeSoftLimit;
    public ulong CurrentInodes;
    public ulong BlockTime;
    public ulong InodeTime;
    public uint Valid;
    public uint Padding;
}
