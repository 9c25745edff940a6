namespace Nacre.Fuse.Protocol;

/// <summary>What the kernel asks for (linux/fuse.h, protocol 7.45).</summary>
internal enum FuseOpcode : uint
{
    Lookup = 1,
    Forget = 2,
    GetAttributes = 3,
    SetAttributes = 4,
    ReadLink = 5,
    Symlink = 6,
    MakeNode = 8,
    MakeDirectory = 9,
    Unlink = 10,
    RemoveDirectory = 11,
    Rename = 12,
    Link = 13,
    Open = 14,
    Read = 15,
    Write = 16,
    StatFs = 17,
    Release = 18,
    Sync = 20,
    SetXattr = 21,
    GetXattr = 22,
    ListXattrs = 23,
    RemoveXattr = 24,
    Flush = 25,
    Init = 26,
    OpenDirectory = 27,
    ReadDirectory = 28,
    ReleaseDirectory = 29,
    SyncDirectory = 30,
    GetLock = 31,
    SetLock = 32,
    SetLockWait = 33,
    Access = 34,
    Create = 35,
    Interrupt = 36,
    BlockMap = 37,
    Destroy = 38,
    IoControl = 39,
    Poll = 40,
    NotifyReply = 41,
    BatchForget = 42,
    Allocate = 43,
    ReadDirectoryPlus = 44,
    Rename2 = 45,
    Seek = 46,
    CopyRange = 47,
    SyncFs = 50,
    TempFile = 51,
    Statx = 52,
    CopyRange64 = 53,
}

/// <summary>What is told to the kernel unasked: the <c>error</c> of an answer to request 0.</summary>
internal enum NotifyCode
{
    InvalidateInode = 2,
    InvalidateEntry = 3,

    /// <summary>Inodes that nobody uses are to go (7.45; no flag tells of it).</summary>
    Prune = 9,
}
