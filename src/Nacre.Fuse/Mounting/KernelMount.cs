using System.Runtime.InteropServices;
using Nacre.Fuse.Device;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Mounting;

/// <summary>mount(2) and umount(2), for those who may.</summary>
internal static class KernelMount
{
    private const string Type = "fuse.nacre";

    /// <summary>S_IFDIR, in octal, as the kernel takes it.</summary>
    private const string RootMode = "40000";

    /// <exception cref="FuseMountException">It cannot be mounted there; says why.</exception>
    public static FuseDevice Mount(string source, string mountPoint, FuseOptions options)
    {
        var device = FuseDevice.Open();
        string data = $"fd={device.Descriptor},rootmode={RootMode},user_id={LinuxCalls.EffectiveUser()},group_id={LinuxCalls.EffectiveGroup()}"
            + $",default_permissions,max_read={options.MaxTransfer}" + (options.AllowOther ? ",allow_other" : "");
        int flags = options.MountFlags | (options.ReadOnly ? LinuxCalls.MountReadOnly : 0);
        if (LinuxCalls.Mount(source, mountPoint, Type, (nuint)flags, data) == 0) return device;
        int errno = Marshal.GetLastPInvokeError();
        device.Dispose();
        throw new FuseMountException(Explain(mountPoint, errno));
    }

    /// <summary>Gives a mount other flags; what the options of a first mount say beside them stays as it is.</summary>
    /// <returns>0 or a positive errno.</returns>
    public static int Remount(string mountPoint, int flags) =>
        LinuxCalls.Mount("", mountPoint, Type, (nuint)(flags | LinuxCalls.MountRemount), null) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <returns>0 or a positive errno.</returns>
    public static int Unmount(string mountPoint, bool detach)
    {
        int flags = LinuxCalls.UnmountNoFollow | (detach ? LinuxCalls.UnmountDetach : 0);
        return LinuxCalls.Unmount(mountPoint, flags) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Ends what is under way with an error, and detaches.</summary>
    public static void ForceUnmount(string mountPoint) =>
        _ = LinuxCalls.Unmount(mountPoint, LinuxCalls.UnmountForce | LinuxCalls.UnmountDetach | LinuxCalls.UnmountNoFollow);

    /// <summary>Ends a connection by its control file, which belongs to the user who mounted; best effort, since that file system need not be mounted.</summary>
    /// <param name="device">Number of the mounted device; its minor part is the connection's.</param>
    public static void AbortConnection(string device)
    {
        string minor = device[(device.IndexOf(':', StringComparison.Ordinal) + 1)..];
        try
        {
            File.WriteAllText($"/sys/fs/fuse/connections/{minor}/abort", "1");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static string Explain(string mountPoint, int errno) => errno switch
    {
        Errno.ENOENT => $"there is no folder {mountPoint}",
        Errno.ENOTDIR => $"{mountPoint} is not a folder",
        Errno.EBUSY => $"{mountPoint} is in use",
        Errno.EPERM or Errno.EACCES => $"no permission to mount at {mountPoint}",
        Errno.ENODEV => "this kernel has no FUSE (modprobe fuse)",
        Errno.ENOTCONN => $"a file system whose process is gone is still mounted at {mountPoint}: nacre umount {mountPoint}",
        _ => $"{mountPoint} cannot be mounted: {Errno.Name(errno)}",
    };
}
