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
        ["relatime"] = (LinuxCalls.MountRelativeAccessTime, LinuxCalls.MountStrictAccessTime),
        ["norelatime"] = (0, LinuxCalls.MountRelativeAccessTime),
        ["strictatime"] = (LinuxCalls.MountStrictAccessTime, LinuxCalls.MountRelativeAccessTime | LinuxCalls.MountNoAccessTime),
        ["nostrictatime"] = (0, LinuxCalls.MountStrictAccessTime),
        ["nosymfollow"] = (LinuxCalls.MountNoSymlinkFollow, 0),
        ["symfollow"] = (0, LinuxCalls.MountNoSymlinkFollow),
    };

    /// <returns>False when there is no such option.</returns>
    public static bool TryApply(string option, ref int flags)
    {
        if (!Known.TryGetValue(option, out var change)) return false;
        flags = (flags & ~change.Clear) | change.Set;
        return true;
    }

    /// <summary>FUSE leaves times of access to the file system, which has to know.</summary>
    public static bool IsNoAccessTime(int flags) => (flags & LinuxCalls.MountNoAccessTime) != 0;

    public static bool IsStrictAccessTime(int flags) => (flags & LinuxCalls.MountStrictAccessTime) != 0;

    public static bool IsReadOnly(int flags) => (flags & LinuxCalls.MountReadOnly) != 0;

    /// <summary>The names of the flags that are set, as fusermount3 takes them.</summary>
    internal static IEnumerable<string> Names(int flags) =>
        Known.Where(option => option.Value.Set != 0 && (flags & option.Value.Set) != 0).Select(option => option.Key);
}
