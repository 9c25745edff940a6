using System.Buffers.Text;

namespace Nacre.Fuse.Session;

/// <summary>What <c>/proc/TID/status</c> says of the thread that asks.</summary>
internal static class ProcessStatus
{
    private const int Quit = 3, Kill = 9;

    /// <summary>
    /// Whether a signal is pending that ends the thread whatever it does. A signal with the default action of ending a
    /// process is pending as SIGKILL
    /// for all its threads by then; SIGQUIT, which writes a core first, is not. A thread that is gone is taken for killed.
    /// </summary>
    public static bool IsBeingKilled(int thread)
    {
        if (Read(thread) is not { } status) return true;
        ulong pending = Mask(status, "SigPnd:"u8), shared = Mask(status, "ShdPnd:"u8);
        ulong kept = Mask(status, "SigCgt:"u8) | Mask(status, "SigIgn:"u8) | Mask(status, "SigBlk:"u8);
        return ((pending | shared) & (Bit(Kill) | (Bit(Quit) & ~kept))) != 0;
    }

    /// <summary>Supplementary groups; none when the thread is gone or cannot be seen.</summary>
    public static uint[] Groups(int thread)
    {
        if (Read(thread) is not { } status) return [];
        var groups = new List<uint>();
        var rest = Line(status, "Groups:"u8).Trim((byte)' ');
        while (Utf8Parser.TryParse(rest, out uint group, out int used))
        {
            groups.Add(group);
            rest = rest[used..].TrimStart((byte)' ');
        }

        return [.. groups];
    }

    private static ulong Bit(int signal) => 1UL << (signal - 1);

    private static ulong Mask(byte[] status, ReadOnlySpan<byte> key) =>
        Utf8Parser.TryParse(Line(status, key), out ulong mask, out _, 'x') ? mask : 0;

    /// <summary>What stands behind the key on its line.</summary>
    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> status, ReadOnlySpan<byte> key)
    {
        int at = status.IndexOf(key);
        if (at < 0) return default;
        var line = status[(at + key.Length)..];
        int end = line.IndexOf((byte)'\n');
        return (end < 0 ? line : line[..end]).Trim((byte)'\t');
    }

    private static byte[]? Read(int thread)
    {
        if (thread <= 0) return null;
        try
        {
            return File.ReadAllBytes($"/proc/{thread}/status");
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
