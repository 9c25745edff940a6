using System.Diagnostics;
using System.Globalization;

namespace Nacre.Cli.Mount;

/// <summary>
/// Which process serves a mount, in a file below <c>/run/nacre</c> (or a folder of the user's own): unmounting returns when the kernel has let go, and what that
/// process still has to write back is waited for by its number.
/// </summary>
internal static class MountRecord
{
    private static string Folder => Environment.IsPrivilegedProcess
        ? "/run/nacre"
        : FolderOf(
            Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"),
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify));

    /// <summary>Second line of the file of a process that mounted for reading only.</summary>
    private const string ReadOnly = "ro";

    /// <summary>Best effort: without it an unmount just does not wait, and a remount does not know what the process is able to.</summary>
    public static void Write(string device, bool isReadOnly)
    {
        try
        {
            Directory.CreateDirectory(Folder);
            string pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            File.WriteAllLines(NameOf(device), isReadOnly ? [pid, ReadOnly] : [pid]);
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
            return Read(device) is [var pid, ..] ? Process.GetProcessById(int.Parse(pid, NumberStyles.None, CultureInfo.InvariantCulture)) : null;
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether the process that serves the device has ended, also where the kernel still holds what is left of it because a thread does not come back.
    /// False when it is not known.
    /// </summary>
    public static bool HasEnded(string device)
    {
        if (Read(device) is not [var pid, ..]) return false;
        try
        {
            // "pid (name) state ...": the name may hold anything.
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..] is ['Z' or 'X', ..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Whether the process that serves the device mounted for reading only, which no remount changes.</summary>
    public static bool IsReadOnly(string device) => Read(device) is [_, ReadOnly, ..];

    /// <summary>Lines of the file; none when there is no file.</summary>
    private static string[] Read(string device)
    {
        try
        {
            return File.ReadAllLines(NameOf(device));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Never a folder others may write to: a link that waits there under a name to come would let them overwrite any file of the user's.</summary>
    internal static string FolderOf(string? runFolder, string userFolder) => Path.Combine(string.IsNullOrEmpty(runFolder) ? userFolder : runFolder, "nacre");

    private static string NameOf(string device) => Path.Combine(Folder, $"mount-{device.Replace(':', '-')}.pid");
}
