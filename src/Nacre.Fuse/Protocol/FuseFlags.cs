namespace Nacre.Fuse.Protocol;

/// <summary>Abilities both sides agree on at INIT; the upper half travels in <c>flags2</c> (7.36).</summary>
[Flags]
internal enum InitFlags : ulong
{
    None = 0,
    AsyncRead = 1 << 0,
    PosixLocks = 1 << 1,
    AtomicTruncate = 1 << 3,
    ExportSupport = 1 << 4,
    BigWrites = 1 << 5,
    DontMask = 1 << 6,
    FlockLocks = 1 << 10,
    AutoInvalidateData = 1 << 12,
    ReadDirectoryPlus = 1 << 13,
    ReadDirectoryPlusAuto = 1 << 14,
    AsyncDirectIo = 1 << 15,
    WriteBackCache = 1 << 16,
    ParallelDirectoryOperations = 1 << 18,
    PosixAcl = 1 << 20,
    AbortError = 1 << 21,
    MaxPages = 1 << 22,
    CacheSymlinks = 1 << 23,
    ExplicitInvalidateData = 1 << 25,
    HandleKillPrivilegesV2 = 1 << 28,
    SetXattrExtended = 1 << 29,
    InitExtended = 1 << 30,
    HasExpireOnly = 1UL << 35,
    DirectIoAllowMmap = 1UL << 36,
}

/// <summary>How the kernel should treat an open file, in the answer of OPEN and CREATE.</summary>
[Flags]
internal enum OpenReplyFlags : uint
{
    None = 0,
    DirectIo = 1 << 0,
    KeepCache = 1 << 1,
    ParallelDirectWrites = 1 << 6,
}

/// <summary>Which members of SETATTR are valid.</summary>
[Flags]
internal enum SetAttributesValid : uint
{
    None = 0,
    Mode = 1 << 0,
    Uid = 1 << 1,
    Gid = 1 << 2,
    Size = 1 << 3,
    AccessTime = 1 << 4,
    ModifyTime = 1 << 5,
    Handle = 1 << 6,
    AccessTimeNow = 1 << 7,
    ModifyTimeNow = 1 << 8,
    LockOwner = 1 << 9,
    ChangeTime = 1 << 10,
    KillSuidSgid = 1 << 11,
}

/// <summary>Bits of single requests.</summary>
internal static class RequestFlags
{
    public const uint GetAttributesHandle = 1 << 0;
    public const uint WriteFromCache = 1 << 0;

    /// <summary>Of READ and WRITE.</summary>
    public const uint TransferLockOwner = 1 << 1;
    public const uint WriteKillSuidSgid = 1 << 2;
    public const uint OpenKillSuidSgid = 1 << 0;
    public const uint ReleaseFlockUnlock = 1 << 1;
    public const uint LockIsFlock = 1 << 0;
    public const uint SyncDataOnly = 1 << 0;
    public const uint SetXattrKillSgid = 1 << 0;
    public const uint ExpireOnly = 1 << 0;
}

/// <summary>O_* of Linux x86-64, those that matter here.</summary>
internal static class OpenFlags
{
    public const int AccessMode = 3;
    public const int Truncate = 0x200;
    public const int Append = 0x400;
    public const int DataSync = 0x1000;
    public const int Direct = 0x4000;
    public const int CloseOnExec = 0x8_0000;
    public const int ReadWrite = 2;
}
