using System.Text;

namespace Nacre.Fuse.Mounting;

/// <summary>What is mounted, from <c>/proc/self/mountinfo</c>.</summary>
public static class MountTable
{
    /// <param name="Device">As in <c>/sys/class/bdi</c>: major, colon, minor.</param>
    public readonly record struct Mounted(string Device, string MountPoint, string Type, string Source);

    /// <summary>The last mount at that place, which is the one in use; null where nothing is mounted.</summary>
    public static Mounted? Find(string mountPoint)
    {
        string wanted = Path.GetFullPath(mountPoint);
        wanted = wanted.Length > 1 ? wanted.TrimEnd('/') : wanted;
        Mounted? found = null;
        foreach (var mounted in All())
        {
            if (mounted.MountPoint == wanted) found = mounted;
        }

        return found;
    }

    /// <summary>In the order they were mounted.</summary>
    public static IEnumerable<Mounted> All()
    {
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            if (TryParse(line, out var mounted)) yield return mounted;
        }
    }

    /// <summary>"id parent major:minor root mountpoint options optional... - type source superoptions".</summary>
    internal static bool TryParse(string line, out Mounted mounted)
    {
        mounted = default;
        string[] words = line.Split(' ');
        int dash = Array.IndexOf(words, "-");
        if (words.Length < 6 || dash < 0 || dash + 2 >= words.Length) return false;
        mounted = new Mounted(words[2], Unescape(words[4]), words[dash + 1], Unescape(words[dash + 2]));
        return true;
    }

    /// <summary>Blanks and the like stand there as a backslash and three octal digits.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal)) return text;
        var bytes = new List<byte>();
        byte[] raw = Encoding.UTF8.GetBytes(text);
        for (int i = 0; i < raw.Length; i++)
        {
            bool isEscape = raw[i] == '\\' && i + 3 < raw.Length && raw[i + 1] is >= (byte)'0' and <= (byte)'3';
            if (isEscape)
            {
                bytes.Add((byte)(((raw[i + 1] - '0') << 6) | ((raw[i + 2] - '0') << 3) | (raw[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.Add(raw[i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
