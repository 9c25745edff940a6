namespace Nacre.PtlRpc.Wire;

/// <summary>OBD_MD_*: validity bits of <c>mdt_body</c> and <c>obdo</c> (05 section 2.2).</summary>
[Flags]
public enum ObdMd : ulong
{
    None = 0,
    FlId = 0x1,
    FlAtime = 0x2,
    FlMtime = 0x4,
    FlCtime = 0x8,
    FlSize = 0x10,
    FlBlocks = 0x20,
    FlBlkSz = 0x40,
    FlMode = 0x80,
    FlType = 0x100,
    FlUid = 0x200,
    FlGid = 0x400,
    FlFlags = 0x800,
    DomSize = 0x1000,
    FlNlink = 0x2000,
    FlParent = 0x4000,
    LayoutVersion = 0x8000,
    FlRdev = 0x1_0000,
    FlEaSize = 0x2_0000,
    LinkName = 0x4_0000,
    FlHandle = 0x8_0000,
    FlCksum = 0x10_0000,
    FlPrjQuota = 0x40_0000,
    FlGroup = 0x100_0000,
    FlGrant = 0x800_0000,
    FlDirEa = 0x1000_0000,
    FlUsrQuota = 0x2000_0000,
    FlGrpQuota = 0x4000_0000,
    FlModeAsize = 0x8000_0000,
    Mds = 0x1_0000_0000,
    Mea = 0x4_0000_0000,
    TState = 0x8_0000_0000,
    FlXattr = 0x10_0000_0000,
    FlXattrLs = 0x20_0000_0000,
    FlXattrRm = 0x40_0000_0000,
    FlAcl = 0x80_0000_0000,
    FlagStatfs = 0x100_0000_0000,
    FlCrossRef = 0x1000_0000_0000,
    FlDataVersion = 0x10_0000_0000_0000,
    CloseIntentExeced = 0x20_0000_0000_0000,
    DefaultMea = 0x40_0000_0000_0000,
    FlProjid = 0x100_0000_0000_0000,
    Secctx = 0x200_0000_0000_0000,
    FlLazySize = 0x400_0000_0000_0000,
    FlLazyBlocks = 0x800_0000_0000_0000,
    FlBtime = 0x1000_0000_0000_0000,
    EncCtx = 0x2000_0000_0000_0000,
    NameHash = 0x4000_0000_0000_0000,

    /// <summary>Identity, times, mode, type, owner, links: what every description of a regular file with objects has
    /// (set R of 05 section 20.2).</summary>
    SetRegular = FlId | FlAtime | FlMtime | FlCtime | FlMode | FlType | FlUid | FlGid | FlNlink | FlBtime,
    /// <summary>Set A: everything but regular files; the MDT's own size and device number are final.</summary>
    SetOther = SetRegular | FlSize | FlBlocks | FlRdev,
    /// <summary>Set N: a regular file without layout, or released.</summary>
    SetNoObjects = SetRegular | FlSize | FlBlocks,
    /// <summary>Set L: a regular file whose size was reported at a close.</summary>
    SetLazy = SetRegular | FlLazySize | FlLazyBlocks,
}

/// <summary>LUSTRE_*_FL inode flags in <c>mbo_flags</c> and <c>sa_attr_flags</c> (05 section 2.4).</summary>
[Flags]
public enum LustreInodeFlags : uint
{
    None = 0,
    Sync = 0x8,
    Immutable = 0x10,
    Append = 0x20,
    NoDump = 0x40,
    NoAtime = 0x80,
    Index = 0x1000,
    /// <summary>Internal: unlinked but still open; a genuine server lets it leak into replies.</summary>
    Orphan = 0x2000,
    DirSync = 0x1_0000,
    TopDir = 0x2_0000,
    SetSync = 0x4_0000,
    Encrypt = 0x80_0000,
    InlineData = 0x1000_0000,
    ProjInherit = 0x2000_0000,
}
