namespace Nacre.PtlRpc.Wire;

/// <summary>First word of an MDS_REINT record (05 section 1.4).</summary>
public enum ReintOp : uint
{
    SetAttr = 1,
    Create = 2,
    Link = 3,
    Unlink = 4,
    Rename = 5,
    /// <summary>Only inside an open intent.</summary>
    Open = 6,
    SetXattr = 7,
    RmEntry = 8,
    Migrate = 9,
    Resync = 10,
}

/// <summary>MDS_ATTR_* of <c>sa_valid</c> (05 section 5.3).</summary>
[Flags]
public enum MdsAttr : ulong
{
    None = 0,
    Mode = 0x1,
    Uid = 0x2,
    Gid = 0x4,
    Size = 0x8,
    Atime = 0x10,
    Mtime = 0x20,
    Ctime = 0x40,
    AtimeSet = 0x80,
    MtimeSet = 0x100,
    Force = 0x200,
    AttrFlag = 0x400,
    KillSuid = 0x800,
    KillSgid = 0x1000,
    CtimeSet = 0x2000,
    FromOpen = 0x4000,
    Blocks = 0x8000,
    Projid = 0x1_0000,
    LazySize = 0x2_0000,
    LazyBlocks = 0x4_0000,
    Override = 0x200_0000,
}

/// <summary>MDS_OPEN_* of <c>cr_flags</c>, and the access mode bits below them (05 section 6.6).</summary>
[Flags]
public enum MdsOpen : ulong
{
    None = 0,
    Read = 0x1,
    Write = 0x2,
    Exec = 0x4,
    Created = 0x8,
    Creat = 0x40,
    Excl = 0x80,
    Trunc = 0x200,
    Append = 0x400,
    Sync = 0x1000,
    Directory = 0x1_0000,
    ByFid = 0x80_0000,
    DelayCreate = 0x100_0000,
    OwnerOverride = 0x200_0000,
    JoinFile = 0x400_0000,
    Lock = 0x2000_0000,
    HasEa = 0x4000_0000,
    HasObjs = 0x8000_0000,
    NoRestore = 0x2_0000_0000,
    NewStripe = 0x4_0000_0000,
    Volatile = 0x8_0000_0000,
    Lease = 0x10_0000_0000,
    Release = 0x20_0000_0000,
    Resync = 0x40_0000_0000,
    Pcc = 0x80_0000_0000,
    WithFid = 0x100_0000_0000,
}

/// <summary>MDS op bias bits (<c>sa_bias</c>, <c>cr_bias</c>...; 05 section 5.2).</summary>
[Flags]
public enum MdsBias : uint
{
    None = 0,
    CrossRef = 1 << 1,
    PermBypass = 1 << 3,
    QuotaIgnore = 1 << 5,
    KeepOrphan = 1 << 7,
    RecovOpen = 1 << 8,
    DataModified = 1 << 9,
    CreateVolatile = 1 << 10,
    OwnerOverride = 1 << 11,
    HsmRelease = 1 << 12,
    CloseMigrate = 1 << 13,
    CloseLayoutSwap = 1 << 14,
    CloseLayoutMerge = 1 << 15,
    CloseResyncDone = 1 << 16,
    CloseLayoutSplit = 1 << 17,
    TruncKeepLease = 1 << 18,
    PccAttach = 1 << 19,
    CloseUpdateTimes = 1 << 20,
    SetstripeCreate = 1 << 21,
    FidOp = 1 << 22,
    MigrateNsOnly = 1 << 23,

    /// <summary>A close that carries <c>close_data</c> (05 section 8.4).</summary>
    CloseIntents = HsmRelease | CloseLayoutSwap | CloseLayoutMerge | CloseResyncDone | CloseLayoutSplit,
}


/// <summary>Disposition bits of an intent reply, <c>lock_policy_res1</c> (05 section 6.3).</summary>
[Flags]
public enum Disp : ulong
{
    None = 0,
    Execd = 0x1,
    LookupExecd = 0x2,
    LookupNeg = 0x4,
    LookupPos = 0x8,
    OpenCreate = 0x10,
    OpenOpen = 0x20,
    OpenLock = 0x200_0000,
    OpenLease = 0x400_0000,
    OpenStripe = 0x800_0000,
    OpenDeny = 0x1000_0000,
}

/// <summary><c>li_opc</c> of a layout intent (05 section 6.8).</summary>
public enum LayoutIntentOp : uint
{
    Access = 0,
    Read = 1,
    Write = 2,
    Glimpse = 3,
    Trunc = 4,
    Release = 5,
    Restore = 6,
}

/// <summary>Linux capability bits a request may carry (05 section 9.1).</summary>
[Flags]
public enum CapabilityBits : uint
{
    None = 0,
    Chown = 1u << 0,
    DacOverride = 1u << 1,
    DacReadSearch = 1u << 2,
    FOwner = 1u << 3,
    FSetId = 1u << 4,
    LinuxImmutable = 1u << 9,
    SysAdmin = 1u << 21,
    SysResource = 1u << 24,
}
