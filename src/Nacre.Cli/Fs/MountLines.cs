using Nacre.ControlPlane.Shapes;

namespace Nacre.Cli.Fs;

/// <summary>How to mount a file system, ready to be pasted.</summary>
internal static class MountLines
{
    private const string Folder = "/mnt";

    public static IEnumerable<string> Of(FileSystem fileSystem)
    {
        var device = $"{fileSystem.DNSName}@tcp:/{fileSystem.LustreConfiguration.MountName}";
        yield return "kernel client:  mount -t lustre -o relatime,flock " + $"{device} {Folder}";
        yield return $"FUSE client:    nacre mount {device} {Folder}";
        yield return $"/etc/fstab:     {device} {Folder} lustre defaults,relatime,flock,_netdev,x-systemd.automount 0 0";
        yield return $"  or            {device} {Folder} fuse.nacre _netdev,flock 0 0";
    }
}
