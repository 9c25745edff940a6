using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>What is known of one object besides its bytes. Times in seconds; an object never written has zeros.</summary>
public record struct ObjectAttributes
{
    /// <summary>Bytes.</summary>
    public long Size;
    /// <summary>512-byte units really allocated.</summary>
    public long Blocks;
    public long MTime;
    public long ATime;
    public long CTime;
    public uint Uid;
    public uint Gid;
    public uint ProjectId;
    /// <summary>Which of the three ids were set; until then the object is pristine for them (06 section 7.2).</summary>
    public ObjectOwnerIds OwnersSet;
    /// <summary>Changes with every change of data or size and never repeats (06 section 11).</summary>
    public ulong DataVersion;
    public ObjectParent Parent;
}

[Flags]
public enum ObjectOwnerIds : byte
{
    None = 0,
    Uid = 1,
    Gid = 2,
    Project = 4,
    All = Uid | Gid | Project,
}

/// <summary>Where the object belongs, as the first write said: lets a tool rebuild layouts. Never read by the server.</summary>
public record struct ObjectParent
{
    public LuFid File;
    public uint StripeIndex;
    public uint StripeSize;
    public uint StripeCount;
    public uint ComponentId;
    public ulong ComponentStart;
    /// <summary>Exclusive; all ones for EOF.</summary>
    public ulong ComponentEnd;

    public readonly bool IsSet => File.Sequence != 0;
}

/// <summary>Changes of attributes; a null member stays as it is.</summary>
public struct ObjectChange
{
    public long? MTime;
    public long? ATime;
    public long? CTime;
    public uint? Uid;
    public uint? Gid;
    public uint? ProjectId;
    /// <summary>The ids only end the pristine state; an id already set stays.</summary>
    public bool OnlyPristineOwners;
    /// <summary>Kept only when none is known yet.</summary>
    public ObjectParent Parent;
    public ulong? DataVersion;
}
