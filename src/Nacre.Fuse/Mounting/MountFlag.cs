using Nacre.Fuse.Device;

namespace Nacre.Fuse.Mounting;

/// <summary>Options that every file system has, by their names in mount(8), and the MS_* flags they set or clear.</summary>
public static class MountFlag
{
    private static readonly Dictionary<string, (int Set, int Clear)> Known = new()
    {
        ["ro"] = (LinuxCalls.MountReadOnly, 0),
        ["rw"] = (0, LinuxCalls.MountReadOnly),
        ["nosuid"] = (LinuxCalls.MountNoSuid, 0),
        ["suid"] = (0, LinuxCalls.MountNoSuid),
        ["nodev"] = (LinuxCalls.MountNoDevices, 0),
        ["dev"] = (0, LinuxCalls.MountNoDevices),
        ["noexec"] = (LinuxCalls.MountNoExecute, 0),
        ["exec"] = (0, LinuxCalls.MountNoExecute),
        ["sync"] = (LinuxCalls.MountSynchronous, 0),
        ["async"] = (0, LinuxCalls.MountSynchronous),
        ["dirsync"] = (LinuxCalls.MountDirectorySynchronous, 0),
        ["noatime"] = (LinuxCalls.MountNoAccessTime, 0),
        ["atime"] = (0, LinuxCalls.MountNoAccessTime),
        ["nodiratime"] = (LinuxCalls.MountNoDirectoryAccessTime, 0),
        ["diratime"] = (0, LinuxCalls.MountNoDirectoryAccessTime),
        ["relatime"] = (LinuxCalls.MountRelativeAccessTime, 0),
        ["norelatime"] = (0, LinuxCalls.MountRelativeAccessTime),
    };

    /// <returns>False when there is no such option.</returns>
    public static bool TryApply(string option, ref int flags)
    {
        if (!Known.TryGetValue(option, out var change)) return false;
        flags = (flags & ~change.Clear) | change.Set;
        return true;
    }

    /// <summary>The names of the flags that are set, as fusermount3 takes them.</summary>
    internal static IEnumerable<string> Names(int flags) =>
        Known.Where(option => option.Value.Set != 0 && (flags & option.Value.Set) != 0).Select(option => option.Key);
}
