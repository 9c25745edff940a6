namespace Nacre.Server.Mdt.FileSystem;

/// <summary>A time of an inode: seconds since 1970 (may be negative) and nanoseconds 0..999999999. The MDT wire carries
/// whole seconds only (05 section 2.4); the nanoseconds are for imports from a data repository.</summary>
public readonly record struct FileTime(long Seconds, uint Nanoseconds = 0) : IComparable<FileTime>
{
    public int CompareTo(FileTime other) =>
        Seconds != other.Seconds ? Seconds.CompareTo(other.Seconds) : Nanoseconds.CompareTo(other.Nanoseconds);

    public static implicit operator FileTime(long seconds) => new(seconds);
    public static bool operator <(FileTime a, FileTime b) => a.CompareTo(b) < 0;
    public static bool operator >(FileTime a, FileTime b) => a.CompareTo(b) > 0;
    public static bool operator <=(FileTime a, FileTime b) => a.CompareTo(b) <= 0;
    public static bool operator >=(FileTime a, FileTime b) => a.CompareTo(b) >= 0;

    public static FileTime From(DateTimeOffset time)
    {
        long seconds = time.ToUnixTimeSeconds();
        long ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks - seconds * TimeSpan.TicksPerSecond;
        return new FileTime(seconds, (uint)(ticks * 100));
    }
}
