namespace Nacre.PtlRpc.Wire;

/// <summary>HS_*: the HSM state of a file (07 section 2.1).</summary>
[Flags]
public enum HsmStates : uint
{
    None = 0,
    /// <summary>The archive knows the file: an archive has been dispatched, or it was imported.</summary>
    Exists = 0x1,
    /// <summary>Changed since it was archived.</summary>
    Dirty = 0x2,
    /// <summary>Its data is in the archive only.</summary>
    Released = 0x4,
    Archived = 0x8,
    NoRelease = 0x10,
    NoArchive = 0x20,
    /// <summary>The copy in the archive is gone.</summary>
    Lost = 0x40,
    All = 0x7f,
    /// <summary>What a user without privileges may change.</summary>
    UserSettable = Dirty | NoRelease | NoArchive,
}

/// <summary>HUA_*: what a user asks for (07 section 2.1).</summary>
public enum HsmUserAction : uint
{
    None = 1,
    Archive = 10,
    Restore = 11,
    Release = 12,
    Remove = 13,
    Cancel = 14,
}

/// <summary>HSMA_*: what a copytool is told to do (07 section 2.1).</summary>
public enum HsmCopytoolAction : uint
{
    None = 10,
    Archive = 20,
    Restore = 21,
    Remove = 22,
    Cancel = 23,
}

/// <summary>HPS_*: how far an action is (07 section 2.1).</summary>
public enum HsmProgressState : uint
{
    None = 0,
    Waiting = 1,
    Running = 2,
    Done = 3,
}

/// <summary><c>hr_flags</c> and <c>hal_flags</c> (07 section 2.1).</summary>
[Flags]
public enum HsmRequestFlags : ulong
{
    None = 0,
    /// <summary>Queue the action even where it is not needed.</summary>
    ForceAction = 0x1,
    GhostCopy = 0x2,
}

/// <summary>HP_FLAG_*: what a progress report says (07 section 2.1).</summary>
[Flags]
public enum HsmProgressFlags : ushort
{
    None = 0,
    Completed = 0x1,
    /// <summary>It failed, and might not if it were tried again.</summary>
    Retry = 0x2,
}

/// <summary><c>hss_valid</c> (07 section 2.1).</summary>
[Flags]
public enum HsmStateSetValid : uint
{
    None = 0,
    SetMask = 0x1,
    ClearMask = 0x2,
    ArchiveId = 0x4,
}
