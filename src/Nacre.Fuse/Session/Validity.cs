using Nacre.Client.Vfs;
using Nacre.Fuse.Protocol;

namespace Nacre.Fuse.Session;

/// <summary>From the file system's attributes to the kernel's.</summary>
internal static class Validity
{
    /// <summary>Seconds: until the promise is taken back.</summary>
    public const ulong UntilDropped = 365 * 24 * 3600;

    public static ulong Of(bool mayBeCached) => mayBeCached ? UntilDropped : 0;

    public static WireAttributes ToWire(in Attributes attributes) => new()
    {
        Inode = attributes.Inode,
        FileSize = (ulong)attributes.Size,
        Blocks = attributes.Blocks,
        AccessTime = (ulong)attributes.AccessTime.Seconds,
        ModifyTime = (ulong)attributes.ModifyTime.Seconds,
        ChangeTime = (ulong)attributes.ChangeTime.Seconds,
        AccessTimeNanoseconds = attributes.AccessTime.Nanoseconds,
        ModifyTimeNanoseconds = attributes.ModifyTime.Nanoseconds,
        ChangeTimeNanoseconds = attributes.ChangeTime.Nanoseconds,
        Mode = attributes.Mode,
        LinkCount = attributes.LinkCount,
        Uid = attributes.Uid,
        Gid = attributes.Gid,
        // Both are 12 bits of major over 20 of minor, split the same way, as far as Linux has such numbers.
        Device = (uint)attributes.Device,
        BlockSize = attributes.BlockSize,
    };

    public static StatxReply ToStatx(in CurrentAttributes current)
    {
        var attributes = current.Attributes;
        return new StatxReply
        {
            Valid = Of(current.MayBeCached),
            Mask = StatxReply.BasicAndBirthTime,
            BlockSize = attributes.BlockSize,
            LinkCount = attributes.LinkCount,
            Uid = attributes.Uid,
            Gid = attributes.Gid,
            Mode = (ushort)attributes.Mode,
            Inode = attributes.Inode,
            FileSize = (ulong)attributes.Size,
            Blocks = attributes.Blocks,
            AccessTime = ToWire(attributes.AccessTime),
            BirthTime = ToWire(attributes.BirthTime),
            ChangeTime = ToWire(attributes.ChangeTime),
            ModifyTime = ToWire(attributes.ModifyTime),
            DeviceMajor = (uint)(attributes.Device >> 8) & 0xFFF,
            DeviceMinor = ((uint)attributes.Device & 0xFF) | ((uint)(attributes.Device >> 12) & 0xFFF00),
        };
    }

    private static StatxTime ToWire(Timestamp time) => new() { Seconds = time.Seconds, Nanoseconds = time.Nanoseconds };
}
