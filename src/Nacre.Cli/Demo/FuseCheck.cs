namespace Nacre.Cli.Demo;

/// <summary>Whether this machine and user can mount through FUSE, found out before anything is started.</summary>
internal static class FuseCheck
{
    private const string Device = "/dev/fuse";
    private const string Helper = "fusermount3";

    /// <summary>What is missing and how to get it, in one line; null when nothing is.</summary>
    public static string? Missing() => Missing(
        File.Exists(Device), Environment.IsPrivilegedProcess, Environment.GetEnvironmentVariable("PATH") ?? "");

    internal static string? Missing(bool hasDevice, bool isRoot, string path)
    {
        if (!hasDevice)
        {
            return $"this machine has no {Device}: load it with 'modprobe fuse' as root, or start the container with --device {Device} --cap-add SYS_ADMIN";
        }

        var hasHelper = path.Split(':', StringSplitOptions.RemoveEmptyEntries).Any(static folder => File.Exists(Path.Combine(folder, Helper)));
        return isRoot || hasHelper
            ? null
            : $"only root mounts without {Helper}: install it (apt-get install fuse3, dnf install fuse3, apk add fuse3)";
    }
}
