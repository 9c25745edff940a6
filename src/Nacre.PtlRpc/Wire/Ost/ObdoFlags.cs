namespace Nacre.PtlRpc.Wire;

/// <summary>Bits of <c>o_valid</c> that mean something on an OST (06 section 2.3). The same 64-bit space as <c>mbo_valid</c>.</summary>
[Flags]
public enum ObdoValid : ulong
{
    None = 0,
    Id = 0x1,
    ATime = 0x2,
    MTime = 0x4,
    CTime = 0x8,
    Size = 0x10,
    Blocks = 0x20,
    BlockSize = 0x40,
    Mode = 0x80,
    Type = 0x100,
    Uid = 0x200,
    Gid = 0x400,
    Flags = 0x800,
    NLink = 0x2000,
    Parent = 0x4000,
    LayoutVersion = 0x8000,
    Handle = 0x8_0000,
    Checksum = 0x10_0000,
    ProjectQuota = 0x40_0000,
    Group = 0x100_0000,
    /// <summary>Parent FID (sequence, version) and stripe index are set.</summary>
    Fid = 0x200_0000,
    Grant = 0x800_0000,
    UserQuota = 0x2000_0000,
    GroupQuota = 0x4000_0000,
    ObjectCount = 0x4000_0000_0000,
    DataVersion = 0x10_0000_0000_0000,
    OstLayout = 0x80_0000_0000_0000,
    ProjectId = 0x100_0000_0000_0000,
}

/// <summary>Bits of <c>o_flags</c> (06 section 2.4). The checksum type is a 4-bit value inside <see cref="ChecksumMask"/>.</summary>
[Flags]
public enum ObdoFlags : uint
{
    None = 0,
    DeleteOrphans = 0x4,
    NoRpc = 0x8,
    RecreateObjects = 0x20,
    NoProjectQuota = 0x80,
    NoUserQuota = 0x100,
    NoGroupQuota = 0x200,
    /// <summary>Not for bulk I/O: the server takes the lock for the client.</summary>
    SrvLock = 0x800,
    ChecksumMask = 0xF000,
    ShrinkGrant = 0x2_0000,
    Mmap = 0x4_0000,
    RecoverableResend = 0x8_0000,
    /// <summary>GETATTR: take PW instead of PR; set in every GETATTR reply.</summary>
    Flush = 0x20_0000,
    ShortIo = 0x40_0000,
    RootSquash = 0x80_0000,
}

/// <summary>OBD_BRW_*: flags of a niobuf (06 section 2.7).</summary>
[Flags]
public enum NiobufFlags : uint
{
    None = 0,
    Read = 0x1,
    Write = 0x2,
    NoDelay = 0x4,
    Sync = 0x8,
    /// <summary>Space is covered by grant: must not fail with ENOSPC.</summary>
    FromGrant = 0x20,
    /// <summary>O_DIRECT.</summary>
    NoCache = 0x80,
    NoQuota = 0x100,
    /// <summary>The client holds no lock; the server must lock.</summary>
    SrvLock = 0x200,
    /// <summary>The commit may happen after the reply.</summary>
    Async = 0x400,
    MemAlloc = 0x800,
    SoftSync = 0x4000,
    SysResource = 0x4_0000,
}

/// <summary>Linux fallocate modes that the protocol allows in <c>o_falloc_mode</c> (06 section 6.6).</summary>
[Flags]
public enum FallocateMode : uint
{
    None = 0,
    KeepSize = 1,
    PunchHole = 2,
}
