using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>A range of a file in HSM structures.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmExtent
{
    public const int Size = 16;

    /// <summary>Byte.</summary>
    public ulong Offset;
    /// <summary>Bytes; all ones: to the end of the file.</summary>
    public ulong Length;

    public static readonly HsmExtent Whole = new() { Length = ulong.MaxValue };
}

/// <summary><c>hsm_attrs</c>: the value of <c>trusted.hsm</c> (07 section 2.2).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmAttrs
{
    public const int Size = 24;

    public uint Compat;
    public HsmStates States;
    public ulong ArchiveId;
    /// <summary>Data version of what was archived: the sum of the objects' versions.</summary>
    public ulong ArchiveVersion;
}

/// <summary><c>hsm_user_state</c> (07 section 2.3).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmUserState
{
    public const int Size = 32;

    public HsmStates States;
    public uint ArchiveId;
    /// <summary>From here on zero: a genuine server never fills it.</summary>
    public uint InProgressState;
    public uint Action;
    public HsmExtent Extent;
}

/// <summary><c>hsm_state_set</c> (07 section 2.4).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmStateSet
{
    public const int Size = 24;

    public HsmStateSetValid Valid;
    public uint ArchiveId;
    public ulong SetMask;
    public ulong ClearMask;
}

/// <summary><c>hsm_current_action</c> (07 section 2.5).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmCurrentAction
{
    public const int Size = 24;

    /// <summary>Without meaning when there is no action.</summary>
    public HsmProgressState State;
    public HsmUserAction Action;
    /// <summary>While it runs the length is what has been moved so far, bytes.</summary>
    public HsmExtent Extent;
}

/// <summary><c>hsm_request</c>: head of MDS_HSM_REQUEST, items and data follow in buffers of their own (07 section 2.6).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmRequest
{
    public const int Size = 24;

    public HsmUserAction Action;
    /// <summary>0: the file's own, or the default.</summary>
    public uint ArchiveId;
    public HsmRequestFlags Flags;
    public uint ItemCount;
    public uint DataLength;
}

/// <summary><c>hsm_user_item</c> (07 section 2.6).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmUserItem
{
    public const int Size = 32;

    public LuFid Fid;
    public HsmExtent Extent;
}

/// <summary><c>kuc_hdr</c>, in front of a list of actions (07 section 2.8).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct KucHeader
{
    public const int Size = 8;
    public const ushort HsmMagic = 0x191c;
    public const byte HsmTransport = 2;
    public const ushort ActionList = 100;

    public ushort Magic;
    public byte Transport;
    public byte Flags;
    public ushort MessageType;
    /// <summary>Bytes, this header included.</summary>
    public ushort MessageLength;
}

/// <summary><c>hsm_action_list</c>; the file system's name and the items follow, each padded to 8 bytes (07 section 2.7).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmActionList
{
    public const int Size = 32;
    public const uint CurrentVersion = 1;

    public uint Version;
    public uint Count;
    public ulong CompoundId;
    public HsmRequestFlags Flags;
    public uint ArchiveId;
    public uint Padding;
}

/// <summary><c>hsm_action_item</c>; opaque data follows (07 section 2.7).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmActionItem
{
    public const int Size = 72;

    /// <summary>Bytes with the data, without padding.</summary>
    public uint Length;
    public HsmCopytoolAction Action;
    public LuFid Fid;
    /// <summary>The file to move data through; the file itself when a server says it.</summary>
    public LuFid DataFid;
    public HsmExtent Extent;
    public ulong Cookie;
    public ulong GroupId;
}

/// <summary><c>hsm_progress_kernel</c> (07 section 2.9).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct HsmProgressKernel
{
    public const int Size = 64;

    /// <summary>The file; of a restore the volatile file it goes to.</summary>
    public LuFid Fid;
    public ulong Cookie;
    /// <summary>Done since the last report.</summary>
    public HsmExtent Extent;
    public HsmProgressFlags Flags;
    /// <summary>0 or a positive errno.</summary>
    public ushort Error;
    public uint Padding1;
    /// <summary>Of a completed archive or restore: the data version it has, or had.</summary>
    public ulong DataVersion;
    public ulong Padding2;
}
