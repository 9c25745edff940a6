using System.Diagnostics;
using System.Globalization;

namespace Nacre.Cli.Mount;

/// <summary>
/// Which process serves a mount, in a file below <c>/run/nacre</c> (or the user's own run folder): unmounting returns when the kernel has let go, and what that
/// process still has to write back is waited for by its number.
/// </summary>
internal static class MountRecord
{
    private static string Folder =>
        Environment.IsPrivilegedProcess ? "/run/nacre" : Path.Combine(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? Path.GetTempPath(), "nacre");

    /// <summary>Best effort: without it an unmount just does not wait.</summary>
    public static void Write(string device)
    {
        try
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllText(NameOf(device), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    public static void Remove(string device)
    {
        try
        {
            File.Delete(NameOf(device));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>The process that serves the device; null when it is not known or gone.</summary>
    public static Process? Find(string device)
    {
        try
        {
            int pid = int.Parse(File.ReadAllText(NameOf(device)), NumberStyles.None, CultureInfo.InvariantCulture);
            return Process.GetProcessById(pid);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    private static string NameOf(string device) => Path.Combine(Folder, $"mount-{device.Replace(':', '-')}.pid");
}
